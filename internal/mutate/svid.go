package main

const (
	certificateGo = "spiffe/certificate.go"
	chainGo       = "spiffe/svid.go"
	idGo          = "spiffe/id.go"
	bundleGo      = "spiffe/bundle.go"
)

// svids is the test of the corpus that takes SVIDs.
const svids = "^TestSVIDs$"

// svidMutants are the checks of SPIFFE, which TestSVIDs has to notice.
var svidMutants = noticedBy(svids,
	lost(certificateGo, "an X509-SVID has one URI", "if «!ok || len(uris) != 1» {", "!ok || len(uris) == 0"),
	both(lost(certificateGo, "a leaf's ID has a path", "if «err != nil || id.Path() == \"\"» {", "err != nil"),
		lost(svidGo, "", "if «err != nil || id.Path() == \"\"» {", "err != nil")),
	lost(certificateGo, "a leaf is no authority", "case «c.IsCA»:", "false"),
	lost(certificateGo, "a leaf signs no certificates", "case «usage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0»:", "usage&x509.KeyUsageCRLSign != 0"),
	lost(certificateGo, "a leaf signs no revocation lists", "case «usage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0»:", "usage&x509.KeyUsageCertSign != 0"),
	lost(certificateGo, "a leaf may sign", "case «usage&x509.KeyUsageDigitalSignature == 0 || !critical(c, oidKeyUsage)»:", "!critical(c, oidKeyUsage)"),
	lost(certificateGo, "a leaf's key usage is critical", "case «usage&x509.KeyUsageDigitalSignature == 0 || !critical(c, oidKeyUsage)»:", "usage&x509.KeyUsageDigitalSignature == 0"),
	lost(certificateGo, "an authority names nothing but its trust domain", "case «!ok || slices.ContainsFunc(uris, foreign)»:", "!ok"),
	lost(certificateGo, "an authority of another trust domain is none", "&& «uri != domain.String()»\n", "uri != domain.String() && strings.Count(uri, \"/\") > 2"),
	lost(certificateGo, "an authority may sign certificates", "case «!c.BasicConstraintsValid || !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0»:", "false"),
	lost(chainGo, "a chain is one to six certificates", "if «err != nil || len(certificates) == 0 || len(certificates) > maxCertificates» {", "err != nil || len(certificates) == 0"),
	lost(chainGo, "a chain is bounded", "if «len(data) > MaxChain» {", "false"),
	lost(chainGo, "a chain is in order", "if «!bytes.Equal(certificates[i].RawIssuer, parent.RawSubject)» {", "false"),
	lost(chainGo, "what stands above a leaf is an authority", "if err := checkAuthority(parent, id.TrustDomain()); «err != nil» {", "false"),
	lost(chainGo, "a leaf of the future does not count yet", "case «now < c.leaf.NotBefore.Unix()»:", "false"),
	lost(chainGo, "a leaf leads to an authority", "if «err != nil» {\n\t\treturn nil, refuse(NoPath", "err != nil && func() bool { paths = [][]*x509.Certificate{{c.leaf, b.authorities[0].certificate}}; return false }()"),
	other(chainGo, "a caller is a client", "KeyUsages: «[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}»,", "[]x509.ExtKeyUsage{x509.ExtKeyUsageAny}"),
	both(other(chainGo, "what a leaf stands on has not expired", "CurrentTime: «time.Unix(now, 0)»,", "c.leaf.NotBefore.Add(time.Second)"),
		lost(chainGo, "", "if «now >= v.Ends» {", "false")),
	lost(idGo, "a SPIFFE ID is bounded", "if «!ok || len(text) > maxID» {", "!ok"),
	lost(idGo, "a path is one", "path := rest[end:]; «path != \"\" && !isPath(path)» {", "false"),
	lost(idGo, "a path has no empty segment", "if «segment == \"\" || segment == \".\" || segment == \"..\" || strings.ContainsFunc(segment, foreignToPath)» {", "segment == \".\" || segment == \"..\" || strings.ContainsFunc(segment, foreignToPath)"),
	lost(idGo, "a path has no dot segment", "if «segment == \"\" || segment == \".\" || segment == \"..\" || strings.ContainsFunc(segment, foreignToPath)» {", "segment == \"\" || segment == \"..\" || strings.ContainsFunc(segment, foreignToPath)"),
	lost(idGo, "a path leads to no parent", "if «segment == \"\" || segment == \".\" || segment == \"..\" || strings.ContainsFunc(segment, foreignToPath)» {", "segment == \"\" || segment == \".\" || strings.ContainsFunc(segment, foreignToPath)"),
	lost(idGo, "a path is of letters and digits", "if «segment == \"\" || segment == \".\" || segment == \"..\" || strings.ContainsFunc(segment, foreignToPath)» {", "segment == \"\" || segment == \".\" || segment == \"..\""),
	lost(idGo, "a rule of a path ends at a slash", "return «len(path) > len(rule) && strings.HasPrefix(path, rule)»", "strings.HasPrefix(path, strings.TrimSuffix(rule, \"/\"))"),
	lost(bundleGo, "one bad key makes a bundle unusable", "if err := b.readKeys(o); «err != nil» {", "false"),
	lost("participant/bundle.go", "an old bundle does not come back", "case «!next.Empty() && next.Sequence() < seen.Sequence»:", "false"),
	lost(svidGo, "sub names a workload", "if «err != nil || id.Path() == \"\"» {", "err != nil"),
	lost(svidGo, "an empty bundle is the end", "case «s.Bundle == nil || s.Bundle.Empty()»:", "s.Bundle == nil"),
	lost(svidGo, "a chain is verified", "svid, err := speaker.Bundle.Verify(chain, spiffe.Client, now)\n\tif «err != nil» {", "err != nil && spiffe.FaultOf(err) != spiffe.NoPath"),
	lost(svidGo, "a chain is bound to its leaf", "if f := ev.show(p.Shown, now); «f != nil» {", "false"),
	other(evidenceGo, "a JWT-SVID is no at+jwt", "types: «[]string{\"\", \"jwt\", \"jose\"}», form: &svidForm", "[]string{\"\", \"jwt\", \"jose\", \"at+jwt\"}"),
	lost(identifyGo, "an issuer's token is no SVID", "|| «speaker.Issuer.TrustDomain() != ev.Kind.svid()» {", "false"),
	lost(linkGo, "a bundle was read in time", "case «h.ev.Issuer.TrustDomain() && !h.freshBundle()»:", "false"),
)

func noticedBy(tests string, all ...mutant) []mutant {
	for i := range all {
		all[i].by = tests
	}
	return all
}

// noticedIn is noticedBy for tests of a room: of what no caller from outside brings.
func noticedIn(folder, tests string, all ...mutant) []mutant {
	for i := range all {
		all[i].by, all[i].in = tests, folder
	}
	return all
}
