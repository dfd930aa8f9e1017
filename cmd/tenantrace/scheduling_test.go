package main

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestYieldToOthers(t *testing.T) {
	if err := yieldToOthers(); err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("own threads: %v, %v", tasks, err)
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			t.Fatal(err)
		}
		attr, err := unix.SchedGetAttr(tid, 0)
		if err != nil {
			continue // it ended meanwhile
		}
		if attr.Policy != unix.SCHED_BATCH {
			t.Errorf("thread %d has policy %d, want SCHED_BATCH", tid, attr.Policy)
		}
	}
}
