package simulate

import "testing"

// TestLocalHostile holds the local server to what holds for every server of ours.
func TestLocalHostile(t *testing.T) {
	o := localOptions(t)
	s := startLocalTest(t, o)
	testKill(t, s)
	testHostile(t, s)
}
