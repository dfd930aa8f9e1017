package http1

import (
	"math/rand/v2"
	"testing"
)

func TestQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var q queue
	var pushed, popped uint64
	for range 20000 {
		if burst := pushed/500%2 == 0; q.len() == 0 || random.IntN(100) < 40 || burst && random.IntN(100) < 50 {
			pushed++
			q.push(pending{seq: pushed})
			continue
		}
		popped++
		if oldest := q.oldest().seq; oldest != popped || q.pop().seq != popped || q.len() != int(pushed-popped) {
			t.Fatalf("request %d comes, %d was pushed first; %d of %d are left", oldest, popped, q.len(), pushed-popped)
		}
	}
	for q.len() > 0 {
		q.pop()
	}
	if cap(q.items) > 64 {
		t.Errorf("an empty queue keeps room for %d", cap(q.items))
	}
}
