package lab

import (
	"context"
	"errors"
	"fmt"
)

// Seed makes the lab's database once and keeps its files in dir, for runs with Config.Seed.
func Seed(ctx context.Context, cfg Config, dir string) error {
	s, err := newStage(ctx, cfg, false)
	if err != nil {
		return err
	}
	err = s.Database.Stop()
	if err == nil {
		err = s.Database.Keep(dir)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	fmt.Fprintf(cfg.Out, "lab: the database is kept in %s\n", dir)
	return nil
}
