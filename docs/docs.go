// Package docs is what the program serves of its own documentation. It decides
// nothing; the pages beside it are for people.
package docs

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of the admin interface. It is written by the
// tests of internal/spectest.
//
//go:embed openapi.json
var OpenAPI []byte
