package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Location says where migrations are, instead of having them detected.
type Location struct {
	Framework string // a name in Frameworks; "" means: whichever recognises the folder
	Dir       string
}

// Find reads the histories of a tree. files are all its regular files, sorted. Where locations are given and at least
// one of them exists in this tree, only those are read; otherwise every framework looks for its own, and a folder
// belongs to the first that claims it. The histories come sorted by folder. Errors are for I/O and for a location that
// names an unknown framework.
func Find(fsys fs.FS, files []string, locations []Location) ([]*History, error) {
	var histories []*History
	add := func(fw *Framework, dir string) error {
		h, err := fw.Read(fsys, dir)
		if err != nil {
			return fmt.Errorf("reading %s migrations in %s: %w", fw.Name, dir, err)
		}
		histories = append(histories, h)
		return nil
	}
	for _, loc := range locations {
		if !under(files, loc.Dir) {
			continue
		}
		fw, err := frameworkAt(fsys, files, loc)
		if err != nil {
			return nil, err
		}
		if err := add(fw, loc.Dir); err != nil {
			return nil, err
		}
	}
	if len(histories) == 0 {
		claimed := map[string]bool{}
		for _, fw := range Frameworks {
			for _, dir := range fw.Detect(fsys, files) {
				if claimed[dir] {
					continue
				}
				claimed[dir] = true
				if err := add(fw, dir); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortFunc(histories, func(a, b *History) int { return strings.Compare(a.Dir, b.Dir) })
	return histories, nil
}

// Names gives the names of all frameworks, in the order in which they look for their folders.
func Names() []string {
	var names []string
	for _, fw := range Frameworks {
		names = append(names, fw.Name)
	}
	return names
}

// under tells whether the sorted files hold one in dir or below it.
func under(files []string, dir string) bool {
	if dir == "." || dir == "" {
		return len(files) > 0
	}
	i, found := slices.BinarySearch(files, dir+"/")
	return found || i < len(files) && strings.HasPrefix(files[i], dir+"/")
}

func frameworkAt(fsys fs.FS, files []string, loc Location) (*Framework, error) {
	for _, fw := range Frameworks {
		if loc.Framework == fw.Name || loc.Framework == "" && slices.Contains(fw.Detect(fsys, files), loc.Dir) {
			return fw, nil
		}
	}
	if loc.Framework == "" {
		return nil, fmt.Errorf("%s: no framework recognises this folder: name one of %s", loc.Dir, strings.Join(Names(), ", "))
	}
	return nil, fmt.Errorf("unknown framework %q: the known ones are %s", loc.Framework, strings.Join(Names(), ", "))
}
