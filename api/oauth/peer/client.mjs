// What a client that is built on openid-client does with a node, as told on
// standard input; what came of it goes to standard output, step by step.
import * as oidc from "openid-client";
import https from "node:https";
import { text } from "node:stream/consumers";

const told = JSON.parse(await text(process.stdin));
const steps = {};

// plain asks the node at its address, which stands behind whatever ends TLS.
const plain = (url, options) => fetch(String(url).replace(told.issuer, told.base), options);

// mutual does the same over TLS, showing a certificate.
const mutual = (url, options) =>
  new Promise((resolve, reject) => {
    const where = new URL(String(url).replace(told.issuer, told.tls).replace(told.base, told.tls));
    const settings = { method: options.method, headers: options.headers, cert: told.certificate, key: told.certificateKey, rejectUnauthorized: false };
    const request = https.request(where, settings, async (answer) => {
      const body = await text(answer);
      resolve(new Response(body === "" ? null : body, { status: answer.statusCode, headers: answer.headers }));
    });
    request.on("error", reject);
    request.end(options.body == null ? undefined : String(options.body));
  });

async function configure(id, authentication, ask = plain) {
  const options = { algorithm: "oauth2", execute: [oidc.allowInsecureRequests], [oidc.customFetch]: plain };
  const config = await oidc.discovery(new URL(told.issuer), id, undefined, authentication, options);
  config[oidc.customFetch] = ask;
  return config;
}

const curve = { name: "ECDSA", namedCurve: "P-256" };
const load = (jwk) => crypto.subtle.importKey("jwk", jwk, curve, false, ["sign"]);
const signed = async (jwk, change) => oidc.PrivateKeyJwt({ key: await load(jwk), kid: jwk.kid }, change && { [oidc.modifyAssertion]: change });

const exchange = (config) =>
  oidc.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:token-exchange", {
    subject_token: told.subject,
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    audience: told.audience,
    scope: "WardRecord.read",
    purpose_of_use: "TREAT",
  });

async function step(name, f) {
  try {
    steps[name] = (await f()) ?? {};
  } catch (e) {
    const challenged = e.code === "OAUTH_WWW_AUTHENTICATE_CHALLENGE"; // only who used a header is
    steps[name] = { error: challenged ? "challenge" : (e.error ?? String(e)), status: e.status };
  }
}

const config = await configure("ward-app", await signed(told.key));
await step("metadata", () => config.serverMetadata());
await step("exchange", () => exchange(config));
const token = steps.exchange.access_token;
await step("introspect", () => oidc.tokenIntrospection(config, token));
await step("revoke", () => oidc.tokenRevocation(config, token));
await step("introspect again", () => oidc.tokenIntrospection(config, token));
await step("revoke rubbish", () => oidc.tokenRevocation(config, "rubbish"));

const refused = {
  "another key": await signed(told.stranger),
  "the token endpoint as audience": await signed(told.key, (_, claims) => (claims.aud = config.serverMetadata().token_endpoint)),
  "a list as audience": await signed(told.key, (_, claims) => (claims.aud = [told.issuer, "https://other.example"])),
  "an hour": await signed(told.key, (_, claims) => (claims.exp = claims.iat + 3600)),
  "no jti": await signed(told.key, (_, claims) => delete claims.jti),
  "an access token's type": await signed(told.key, (header) => (header.typ = "at+jwt")),
  "a secret": oidc.ClientSecretPost("secret"),
  "basic": oidc.ClientSecretBasic("secret"),
  "a symmetric signature": oidc.ClientSecretJwt("secret"),
  "nothing": oidc.None(),
};
for (const [name, authentication] of Object.entries(refused)) {
  const other = await configure("ward-app", authentication);
  await step(name, () => exchange(other));
}
const typed = await configure("ward-app", await signed(told.key, (header) => (header.typ = "client-authentication+jwt")));
await step("its own type", () => exchange(typed));
const once = await configure("ward-app", await signed(told.key, (_, claims) => (claims.jti = "once")));
await step("a jti", () => exchange(once));
await step("the same jti", () => exchange(once));
const stranger = await configure("nobody", await signed(told.key));
await step("nobody", () => exchange(stranger));

await step("a certificate", async () => exchange(await configure("tls-app", oidc.TlsClientAuth(), mutual)));
await step("a certificate and another name", async () => exchange(await configure("ward-app", oidc.TlsClientAuth(), mutual)));
await step("a certificate that is not shown", async () => exchange(await configure("tls-app", oidc.TlsClientAuth())));

process.stdout.write(JSON.stringify(steps));
