package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// ticksPerSecond is the unit of the times in /proc/PID/stat: USER_HZ, 100 on every architecture that Go supports (proc(5)).
const ticksPerSecond = 100

// Usage is what a process has used.
type Usage struct {
	CPU      time.Duration // user and system time of all its threads
	Resident int64         // bytes in memory now
}

// UsageOf reads the usage of a process from /proc/PID/stat (proc(5)).
func UsageOf(pid int) (Usage, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read usage: %w", err)
	}
	// The name in parentheses may hold anything, so fields count from its end: field 3 is index 0.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 22 {
		return Usage{}, fmt.Errorf("read usage of process %d: %d fields", pid, len(fields))
	}
	var numbers [3]int64
	for i, field := range []int{14, 15, 24} { // utime, stime, rss
		if numbers[i], err = strconv.ParseInt(string(fields[field-3]), 10, 64); err != nil {
			return Usage{}, fmt.Errorf("read usage of process %d: %w", pid, err)
		}
	}
	return Usage{
		CPU:      time.Duration(numbers[0]+numbers[1]) * time.Second / ticksPerSecond,
		Resident: numbers[2] * int64(os.Getpagesize()),
	}, nil
}

// Group returns the process ids of a process group.
func Group(pgid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // ended meanwhile
		}
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) > 2 && string(fields[2]) == strconv.Itoa(pgid) { // field 5: pgrp
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
