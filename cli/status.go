package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say how the node is", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				s, err := n.Status(ctx)
				if err != nil {
					return err
				}
				return a.show(view{data: s, names: []string{s.Entity.String()}, text: a.statusText(s)})
			})
		},
	}
}

func (a *app) statusText(s node.Status) string {
	var b strings.Builder
	title := s.Name + "  " + s.Entity.String()
	if s.Demo {
		title += "  DEMO: its time can be moved"
	}
	b.WriteString(clean(title) + "\n")
	for _, w := range s.Warnings {
		word := "warning"
		if w.Urgent {
			word = "URGENT"
		}
		fmt.Fprintf(&b, "%-9s  %s\n", word, clean(w.Text))
	}
	switch s.Clock.Stage {
	case node.ClockConfirmed:
	case node.ClockUnsure:
		b.WriteString("clock      waits for a partner's word to confirm the time\n")
	case node.ClockDenies:
		b.WriteString("clock      was far ahead of the partners'; every decision is a deny until an operator accepts a time\n")
	}
	if f := s.Framework; f != nil {
		fmt.Fprintf(&b, "framework  %s version %d, %s, until %s\n", clean(f.Name), f.Version, short(f.Hash), f.Expires)
	} else {
		b.WriteString("framework  none is in force; every decision is a deny\n")
	}
	for _, l := range s.Logs {
		fmt.Fprintf(&b, "%-9s  %d entries", l.Log, l.Size)
		if l.Root != "" {
			b.WriteString(", root " + l.Root)
		}
		b.WriteString("\n")
	}
	for _, x := range s.Exceptions {
		fmt.Fprintf(&b, "exception  %s for %s ends at %s", clean(x.Name), clean(x.Service), x.Expires)
		if x.Unowned {
			b.WriteString("; its owner " + clean(x.Owner) + " is no operator any more")
		}
		b.WriteString("\n")
	}
	if len(s.Partners) == 0 {
		return b.String()
	}
	v := view{columns: []string{"PARTNER", "NAME", "STAGE", "LAST WORD", "TO SEND"}}
	for _, p := range s.Partners {
		stage := "ok"
		switch {
		case p.Suspended:
			stage = "suspended"
		case p.Broken:
			stage = "broken"
		}
		last := "never"
		if p.Age >= 0 {
			last = strconv.FormatInt(p.Age, 10) + "s ago"
		}
		toSend := p.Queued[edge.Safety] + p.Queued[edge.Governance]
		v.rows = append(v.rows, []string{p.ID.String(), p.Name, stage, last, strconv.FormatUint(toSend, 10)})
	}
	return b.String() + "\n" + a.table(v)
}
