package admin

import (
	"context"
	"iter"
	"maps"
	"net/url"
	"reflect"
	"slices"
)

// serve answers a request with a value to render, or with nil for nothing.
type serve func(h handler, ctx context.Context, r request) (any, error)

// route is what serves requests, and what the OpenAPI document says of them. It
// is made by does, takes, gives, answers or lists.
type route struct {
	serve   serve
	page    func(list any, query url.Values) (any, error) // of a list that is read by pages
	current serve                                         // shows what the route replaces
	Operation
}

// Operation is what the OpenAPI document says of a route. The body has one of the
// forms in Takes, the answer one in Gives; where there is none, neither is there
// a body or an answer.
type Operation struct {
	Says   string
	Takes  []reflect.Type
	Gives  []reflect.Type
	Params []Param
	// Replaces says that If-Match is heeded.
	Replaces bool
}

// Param is a parameter of the query.
type Param struct {
	Name     string
	Says     string
	Form     reflect.Type
	Required bool
}

// does is a route without a body and without an answer.
func does(f serve, says string) route { return route{serve: f, Operation: Operation{Says: says}} }

// takes is a route with a body and without an answer.
func takes[In any](f serve, says string) route {
	return route{serve: f, Operation: Operation{Says: says, Takes: form[In]()}}
}

// gives is a route without a body that answers.
func gives[Out any](f serve, says string) route {
	return route{serve: f, Operation: Operation{Says: says, Gives: form[Out]()}}
}

// answers is a route with a body and an answer.
func answers[In, Out any](f serve, says string) route {
	return route{serve: f, Operation: Operation{Says: says, Takes: form[In](), Gives: form[Out]()}}
}

// lists is a route that answers a List, whole or by pages. Key names an item among
// the others; nil is for a list that cannot grow long, or goes on by numbers.
func lists[Item any](f serve, says string, key func(Item) string) route {
	r := gives[List[Item]](f, says)
	if key == nil {
		return r
	}
	r.page = func(list any, query url.Values) (any, error) { return page(list.(List[Item]), query, key) }
	return r.with(
		asks[uint]("limit", "how many at most; all unless told"),
		asks[string]("cursor", "where to go on: the next of the page before"))
}

func form[T any]() []reflect.Type { return []reflect.Type{reflect.TypeFor[T]()} }

// or adds the other forms of a route that has two.
func (r route) or(other Operation) route {
	r.Takes, r.Gives = append(r.Takes, other.Takes...), append(r.Gives, other.Gives...)
	return r
}

// replaces says which route shows what this one replaces, so that it is replaced
// only as it was seen.
func (r route) replaces(current serve) route {
	r.current, r.Replaces = current, true
	return r
}

// with adds parameters of the query.
func (r route) with(params ...Param) route {
	r.Params = append(r.Params, params...)
	return r
}

// asks is a parameter that may be left out.
func asks[T any](name, says string) Param {
	return Param{Name: name, Says: says, Form: reflect.TypeFor[T]()}
}

// needs is a parameter that may not.
func needs[T any](name, says string) Param {
	p := asks[T](name, says)
	p.Required = true
	return p
}

// Operations gives what every route is, by its pattern: a method, a space and a
// path.
func Operations() iter.Seq2[string, Operation] {
	return func(yield func(string, Operation) bool) {
		for _, routes := range allRoutes {
			for _, pattern := range slices.Sorted(maps.Keys(routes)) {
				if !yield(pattern, routes[pattern].Operation) {
					return
				}
			}
		}
	}
}
