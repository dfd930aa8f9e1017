package discovery

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// atHandleFID asks for a handle that need not be opened again: overlays give it since Linux 6.6, without export to NFS (include/uapi/linux/fcntl.h).
const atHandleFID = 0x200

// belowOverlay names the file that an overlay shows. Containers of one image show the same file, each with numbers of its own since Linux 6.7, while probes are
// on the file itself: attached once for each, they would all run at each call. The handle is that of the lowest layer, also once a container has a copy of its
// own; the copy has another time of change. False: no overlay, or none that tells.
func belowOverlay(r *os.File) (string, bool) {
	var fs unix.Statfs_t
	if unix.Fstatfs(int(r.Fd()), &fs) != nil || fs.Type != unix.OVERLAYFS_SUPER_MAGIC {
		return "", false
	}
	handle, _, err := unix.NameToHandleAt(int(r.Fd()), "", unix.AT_EMPTY_PATH|atHandleFID)
	if err != nil {
		return "", false
	}
	s, err := stampOf(r)
	if err != nil {
		return "", false
	}
	return fmt.Sprintf("%d %x %v", handle.Type(), handle.Bytes(), s), true
}
