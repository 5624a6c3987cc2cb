package servers

import (
	"os/exec"
	"path/filepath"
)

// find returns the path of the first of the programs that is on PATH or in one of the folders, or "" if
// there is none. Debian installs servers in folders that are often not on PATH.
func find(folders []string, programs ...string) string {
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
		for _, folder := range folders {
			if path, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
				return path
			}
		}
	}
	return ""
}
