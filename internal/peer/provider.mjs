// An OpenID provider on loopback, for a test: node provider.mjs KEY CERTIFICATE
// It prints "> " and its issuer, and takes one word a line: "publish" puts a second key
// into its key set, "rotate" signs with that alone.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const key = (kid) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig',
});
const [first, second] = [key('first'), key('second')];

const provider = (issuer, keys) => new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: ['test'] },
  clients: [{
    client_id: 'ward-sync', client_secret: 'of-no-value-to-anybody', redirect_uris: [], response_types: [], id_token_signed_response_alg: 'ES256',
    grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic',
  }],
  scopes: ['read'],
  // RFC 9068, and RFC 8707: the audience is the resource that was asked for.
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'read', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

// The library writes to standard output too: what is for the test is marked.
const say = (text) => console.log(`> ${text}`);

let current;
const server = createServer(
  { key: readFileSync(process.argv[2]), cert: readFileSync(process.argv[3]) },
  (request, response) => current.callback()(request, response),
);
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const commands = { publish: [first, second], rotate: [second] };
  current = provider(issuer, [first]);
  say(issuer);
  createInterface({ input: process.stdin }).on('line', (line) => {
    current = provider(issuer, commands[line]);
    say(line);
  }).on('close', () => process.exit(0));
});
