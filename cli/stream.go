package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/stream"
)

// streamCommand is about what this node sends; who may receive it is a client's
// registration.
func (a *app) streamCommand() *cobra.Command {
	return a.group("stream", "The streams that receivers opened here", a.streamList(), a.streamShow(),
		a.stop(stopping{
			use: "pause ID", arg: "ID", short: "Hold a stream's events until an operator resumes it",
			example: "  entente signal stream pause 5f0c2b7e9a1d4c38a1b2c3d4e5f60718 --reason 'receiver is being moved'",
			act: func(ctx context.Context, n *admin.Client, id, reason string) error {
				return n.MoveStream(ctx, id, admin.StreamStatus{Status: stream.Paused, Reason: reason})
			},
		}),
		a.act("resume ID", "ID", "Let a stream run again; it goes on with what it owes", func(n *admin.Client, ctx context.Context, id string) error {
			return n.MoveStream(ctx, id, admin.StreamStatus{Status: stream.Enabled})
		}),
		a.act("remove ID", "ID", "End a stream, and what it owes; its receiver may open another", (*admin.Client).RemoveStream))
}

func (a *app) streamList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the streams, with what each owes its receiver", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Streams(ctx)
				if err != nil {
					return err
				}
				return a.show(streamView(list, list.Items...))
			})
		},
	}
}

func (a *app) streamShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a stream", Args: args("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				found, err := n.Stream(ctx, args[0])
				if err != nil {
					return err
				}
				return a.show(streamView(found, found))
			})
		},
	}
}

func streamView(data any, streams ...node.StreamReport) view {
	v := view{data: data, columns: []string{"ID", "CLIENT", "DELIVERY", "STATUS", "BY", "SINCE", "OWES", "OLDEST", "ENDPOINT"}, narrow: 8}
	for _, s := range streams {
		delivery, by, owes, oldest := "poll", string(s.MovedBy), strconv.Itoa(s.Owes), ""
		if s.Delivery.Method == stream.Push {
			delivery = "push"
		}
		if s.Rule != "" {
			by += ", " + string(s.Rule)
		}
		if s.Owes > 0 {
			oldest = s.Oldest.String()
		}
		v.names = append(v.names, s.ID)
		v.rows = append(v.rows, []string{s.ID, s.Client, delivery, string(s.Status), by, s.Since.String(), owes, oldest, s.Delivery.Endpoint})
	}
	return v
}
