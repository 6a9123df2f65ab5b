package suspension

// TLP says how far whoever is told a reason may pass it on (FIRST, Traffic Light
// Protocol 2.0, section 2).
type TLP string

const (
	Red         TLP = "red"          // to nobody
	AmberStrict TLP = "amber+strict" // within the organisation
	Amber       TLP = "amber"        // and to its clients, as far as they need it
	Green       TLP = "green"        // within the community
	Clear       TLP = "clear"        // to all
)

// Valid reports whether t is one of the five markings.
func (t TLP) Valid() bool {
	switch t {
	case Red, AmberStrict, Amber, Green, Clear:
		return true
	default:
		return false
	}
}
