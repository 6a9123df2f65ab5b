package admin

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/docs"
)

var documentRoutes = map[string]route{
	"GET /v1/openapi.json": gives[jsontext.Value](handler.document, "Gives the OpenAPI document of this interface."),
}

func (h handler) document(_ context.Context, _ request) (any, error) {
	return jsontext.Value(docs.OpenAPI), nil
}
