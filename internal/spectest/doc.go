// Package spectest holds the OpenAPI document of the admin interface to the code.
// It decides what the document says, from the table of routes, the Go types that
// travel and the comments on them, and whether an exchange keeps to it. It
// refuses to know what a route does.
package spectest
