package cli

import (
	"github.com/spf13/cobra"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
)

// governanceKey is the flags of every command that signs as the organisation.
// The signing happens here; neither key nor passphrase ever reaches a node.
type governanceKey struct {
	path       string
	passphrase string // file
}

func (k *governanceKey) flags(c *cobra.Command) {
	c.Flags().StringVar(&k.path, "governance-key", "", "the organisation's governance key `file`")
	c.Flags().StringVar(&k.passphrase, "passphrase-file", "", "`file` with the key's passphrase; without it you are asked")
	_ = c.MarkFlagRequired("governance-key") // fails only for a flag that is not there
}

// open unlocks the key.
func (k *governanceKey) open(a *app) (jose.Signer, error) {
	passphrase, err := a.passphrase(k.passphrase, false)
	if err != nil {
		return nil, err
	}
	return keyring.OpenGovernance(k.path, passphrase)
}
