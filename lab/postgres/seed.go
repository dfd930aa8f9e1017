package postgres

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tenantrace/lab/proc"
)

// passwordFile of a seed holds the password of lab_app, which its database knows.
const passwordFile = "password"

// Keep moves the files of a stopped cluster to dir, which must not exist. Clusters that are started from it need no initdb and no schema: where the processor
// is emulated these take minutes.
func (c *Cluster) Keep(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("keep the database: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("keep the database: %w", err)
	}
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(c.data)); err != nil {
		return fmt.Errorf("keep the database: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, passwordFile), []byte(c.Password+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the database: %w", err)
	}
	return nil
}

// plant copies a kept database to data and returns the password of lab_app.
func plant(seed, data string, account *proc.User) (password string, err error) {
	text, err := os.ReadFile(filepath.Join(seed, passwordFile))
	if err != nil {
		return "", fmt.Errorf("use the kept database %q: %w", seed, err)
	}
	if err := os.CopyFS(data, os.DirFS(filepath.Join(seed, "data"))); err != nil {
		return "", fmt.Errorf("use the kept database %q: %w", seed, err)
	}
	err = filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := os.FileMode(0o600)
		if entry.IsDir() {
			mode = 0o700
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
		return os.Chown(path, int(account.UID), int(account.GID))
	})
	if err != nil {
		return "", fmt.Errorf("give the kept database to postgres: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
