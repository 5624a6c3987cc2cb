package docs_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLinks checks the relative links of all Markdown files in the repository: the file exists,
// and so does the heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	root := os.DirFS("..")
	pages := markdownFiles(t, root)
	if !slices.Contains(pages, "README.md") || !slices.Contains(pages, "docs/why.md") {
		t.Fatalf("not the pages of the repository: %q", pages)
	}
	for _, page := range pages {
		for _, problem := range brokenLinks(root, page) {
			t.Errorf("%s: %s", page, problem)
		}
	}
}

// TestBrokenLinks checks that broken links are found, and that code and web addresses are not
// mistaken for links to files.
func TestBrokenLinks(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"docs/other.md": {Data: []byte("# Other page\n\n## `Do`, [why](x) & when?\n\n## Twice\n\n## Twice\n\n```\n## Code\n```\n\n<a id=\"named\"></a>\n")},
		"main.go":       {Data: []byte("package main\n")},
	}
	for _, tt := range []struct{ link, want string }{
		{"[a](other.md)", ""},
		{"[a](other.md \"title\") and ![b](../main.go)", ""},
		{"[a](/main.go), [b](../docs), [c](<other.md>)", ""},
		{"[a](other.md#other-page) [b](other.md#do-why--when) [c](other.md#twice-1) [d](other.md#named)", ""},
		{"[a](#here)\n\n## Here", ""},
		{"[a](../main.go#L1)", ""},
		{"[a]\n\n[a]: other.md#twice", ""},
		{"[a](https://example.com/x) [b](mailto:a@example.com)", ""},
		{"`[a](none.md)`\n\n```go\nx[a](none)\n```\n\n<!-- [a](none.md) -->", ""},
		{"[a](none.md)", "none.md: no such file"},
		{"![a](none.svg)", "none.svg: no such file"},
		{"[a]\n\n[a]: none.md", "none.md: no such file"},
		{`<img src="none.svg">`, "none.svg: no such file"},
		{"[a](../../outside.md)", "../../outside.md: outside the repository"},
		{"[a](other.md#twice-2)", "other.md#twice-2: no such heading"},
		{"[a](other.md#code)", "other.md#code: no such heading"},
		{"[a](#none)", "#none: no such heading"},
		{"[a](../main.go#x)", "../main.go#x: no such heading"},
	} {
		files["docs/page.md"] = &fstest.MapFile{Data: []byte(tt.link)}
		if got := strings.Join(brokenLinks(files, "docs/page.md"), "\n"); got != tt.want {
			t.Errorf("%s\ngot:  %s\nwant: %s", tt.link, got, tt.want)
		}
	}
}

// markdownFiles returns the paths of all Markdown files, except those in hidden folders.
func markdownFiles(t *testing.T, root fs.FS) (pages []string) {
	t.Helper()
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && len(name) > 1 && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case !entry.IsDir() && path.Ext(name) == ".md":
			pages = append(pages, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// brokenLinks returns a problem for each relative link of a page that leads nowhere.
func brokenLinks(root fs.FS, page string) (problems []string) {
	text, err := fs.ReadFile(root, page)
	if err != nil {
		return []string{err.Error()}
	}
	for _, link := range linksIn(string(text)) {
		if problem := checkLink(root, page, link); problem != "" {
			problems = append(problems, link+": "+problem)
		}
	}
	return problems
}

var (
	codeFences  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	inlineCode  = regexp.MustCompile("`[^`\n]*`")
	comments    = regexp.MustCompile(`(?s)<!--.*?-->`)
	links       = regexp.MustCompile(`\]\(<?([^)\s>]+)>?[^)]*\)|(?m:^\[[^\]]+\]:\s+(\S+))|(?:href|src)="([^"]*)"`)
	headings    = regexp.MustCompile(`(?m)^#{1,6} +(.*?)[ #]*$`)
	explicitIDs = regexp.MustCompile(`<a (?:id|name)="([^"]*)"`)
	linkTexts   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	lineNumber  = regexp.MustCompile(`^L\d+(-L\d+)?$`)
)

// linksIn returns the targets of all links and pictures, without those in code.
func linksIn(text string) (targets []string) {
	for _, skip := range []*regexp.Regexp{codeFences, comments, inlineCode} {
		text = skip.ReplaceAllString(text, "")
	}
	for _, match := range links.FindAllStringSubmatch(text, -1) {
		targets = append(targets, match[1]+match[2]+match[3]) // only one alternative matches
	}
	return targets
}

// checkLink returns what is wrong with a link, if anything. It accepts every web address.
func checkLink(root fs.FS, page, link string) string {
	target, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	if target.Scheme != "" || target.Host != "" {
		return ""
	}
	file := page
	if target.Path != "" {
		file = path.Join(path.Dir(page), target.Path)
	}
	if strings.HasPrefix(target.Path, "/") {
		file = path.Join(".", target.Path[1:])
	}
	if !fs.ValidPath(file) {
		return "outside the repository"
	}
	if _, err := fs.Stat(root, file); err != nil {
		return "no such file"
	}
	if target.Fragment != "" && !hasAnchor(root, file, target.Fragment) {
		return "no such heading"
	}
	return ""
}

// hasAnchor reports whether the file has a heading for the fragment of a link. Files that are
// not Markdown have line numbers.
func hasAnchor(root fs.FS, file, fragment string) bool {
	if path.Ext(file) != ".md" {
		return lineNumber.MatchString(fragment)
	}
	text, err := fs.ReadFile(root, file)
	return err == nil && slices.Contains(anchors(string(text)), fragment)
}

// anchors returns the fragments of all headings, as GitHub makes them. A heading that occurs
// again gets a number.
func anchors(text string) (fragments []string) {
	text = codeFences.ReplaceAllString(text, "")
	seen := map[string]int{}
	for _, match := range headings.FindAllStringSubmatch(text, -1) {
		title := linkTexts.ReplaceAllString(match[1], "$1")
		title = notInAnchor.ReplaceAllString(strings.ToLower(title), "")
		fragment := strings.ReplaceAll(title, " ", "-")
		n := seen[fragment]
		seen[fragment]++
		if n > 0 {
			fragment = fmt.Sprintf("%s-%d", fragment, n)
		}
		fragments = append(fragments, fragment)
	}
	for _, match := range explicitIDs.FindAllStringSubmatch(text, -1) {
		fragments = append(fragments, match[1])
	}
	return fragments
}
