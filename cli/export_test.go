package cli

// Styled and Clean are what only a terminal shows.
var (
	Styled = styled
	Clean  = clean
	Follow = follow
)
