// What is the official Kubernetes provider's entry point when it is built from its Go module? The module carries the
// schema and the mapping but not as the files that its own main embeds, so they are read from beside the executable.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

func main() {
	executable, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	beside := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(filepath.Dir(executable), name))
		if err != nil {
			log.Fatal(err)
		}
		return content
	}
	provider.Serve("kubernetes", version.Version, beside("schema.json"), beside("terraform-mapping.json"))
}
