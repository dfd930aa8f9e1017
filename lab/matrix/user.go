package matrix

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"tenantrace/lab/proc"
)

// lookUp gives a user of the machine.
func lookUp(name string) (*proc.User, error) {
	account, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("find user %q: %w", name, err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read user id of %q: %w", name, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read group id of %q: %w", name, err)
	}
	return &proc.User{UID: uint32(uid), GID: uint32(gid)}, nil
}

// shared gives the directory of what is fetched once. It must be open to the users that the servers run as; a home directory often is not.
func shared(cache string) (string, error) {
	for dir := cache; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			cache = "/var/cache"
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	cache = filepath.Join(cache, "tenantrace", "matrix")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make cache: %w", err)
	}
	return cache, nil
}
