// A certified OpenID Provider for the interop tests, on loopback, with everything in memory.
//
//   node op.mjs                      prints "ready http://127.0.0.1:PORT" and ends when its stdin does
//
// Beside the provider's own endpoints it answers, for the tests alone:
//   POST /__test/clients   client metadata            -> 204, or 400 {error, error_description}
//   POST /__test/rotate    {"keep_old": boolean}      -> 200 {"kids": [...]}: what signs from now on
//   GET  /__test/requests                             -> 200 [{method, path, status}]: all it answered
//   GET  /__test/events                               -> 200 [{event, client_id, grant_type}]: grants used and revoked, logouts told
//   POST /__test/forget    {"client_id": string}      -> 204: that client's access tokens are good no more
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Provider, interactionPolicy } from 'oidc-provider';

const HMAC = ['HS256', 'HS384', 'HS512'];
const SIGNATURES = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
];
const KEY_MANAGEMENT = [
  'RSA-OAEP', 'RSA-OAEP-256', 'RSA-OAEP-384', 'RSA-OAEP-512',
  'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW',
  'A128KW', 'A192KW', 'A256KW', 'A128GCMKW', 'A192GCMKW', 'A256GCMKW', 'dir',
];
const CONTENT = ['A128GCM', 'A192GCM', 'A256GCM', 'A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512'];
// Not a metadata name of any specification: with it a client chooses whether its refresh tokens rotate.
const ROTATES = 'rotates_refresh_tokens';
// Nor is this: for how many seconds its access tokens are good.
const ACCESS_TOKEN_TTL = 'access_token_ttl';

// ---- keys ---------------------------------------------------------------------------------------
function freshKey(type, options, use = 'sig') {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use };
}

// The RSA and OKP keys name no `alg`, and one key is for encryption only: a client has to choose.
function freshKeys() {
  return [
    freshKey('rsa', { modulusLength: 2048 }, 'enc'),
    freshKey('rsa', { modulusLength: 2048 }),
    freshKey('ec', { namedCurve: 'P-256' }),
    freshKey('ec', { namedCurve: 'P-384' }),
    freshKey('ec', { namedCurve: 'P-521' }),
    freshKey('ed25519', {}),
  ];
}

// ---- memory, shared by each Provider that follows another ---------------------------------------
class Memory {
  static #rows = new Map();

  constructor(model) { this.model = model; }

  #key(id) { return `${this.model}:${id}`; }

  #first(predicate) {
    for (const [key, row] of Memory.#rows) {
      if (key.startsWith(`${this.model}:`) && predicate(row)) return row;
    }
    return undefined;
  }

  async upsert(id, payload) { Memory.#rows.set(this.#key(id), payload); }

  async find(id) { return Memory.#rows.get(this.#key(id)); }

  async findByUid(uid) { return this.#first((row) => row.uid === uid); }

  async findByUserCode(code) { return this.#first((row) => row.userCode === code); }

  async consume(id) { (await this.find(id)).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { Memory.#rows.delete(this.#key(id)); }

  async destroyByClient(clientId) {
    for (const [key, row] of Memory.#rows) {
      if (row.clientId === clientId && key.startsWith(`${this.model}:`)) Memory.#rows.delete(key);
    }
  }

  async revokeByGrantId(grantId) {
    for (const [key, row] of Memory.#rows) {
      if (row.grantId === grantId && key.startsWith(`${this.model}:`)) Memory.#rows.delete(key);
    }
  }
}

// ---- the provider -------------------------------------------------------------------------------
function person(sub) {
  return {
    sub, name: `Test ${sub}`, given_name: 'Test', family_name: sub, preferred_username: sub,
    email: `${sub}@example.com`, email_verified: true, locale: 'en', zoneinfo: 'UTC', updated_at: 1700000000,
  };
}

// A native client on plain loopback would have to ask for consent each time: prompt=none never succeeds.
function interactions() {
  const policy = interactionPolicy.base();
  policy.get('consent').checks.remove('native_client_prompt');
  return policy;
}

function newProvider(issuer, keys) {
  const provider = new Provider(issuer, {
    adapter: Memory,
    jwks: { keys },
    cookies: { keys: ['a-cookie-key-for-tests-only'] },
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    claims: {
      acr: null, amr: null, auth_time: null, iss: null, sid: null, openid: ['sub'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'zoneinfo', 'updated_at'],
      email: ['email', 'email_verified'],
    },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
    enabledJWA: {
      idTokenEncryptionAlgValues: KEY_MANAGEMENT,
      idTokenEncryptionEncValues: CONTENT,
      userinfoEncryptionAlgValues: KEY_MANAGEMENT,
      userinfoEncryptionEncValues: CONTENT,
      clientAuthSigningAlgValues: [...HMAC, ...SIGNATURES],
      idTokenSigningAlgValues: [...HMAC, ...SIGNATURES],
      userinfoSigningAlgValues: [...HMAC, ...SIGNATURES],
    },
    extraClientMetadata: { properties: [ROTATES, ACCESS_TOKEN_TTL] },
    findAccount: (ctx, id) => ({ accountId: id, claims: async () => person(id) }),
    interactions: { policy: interactions() },
    issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (ctx) => ctx.oidc.client[ROTATES] !== false,
    pkce: { required: () => true },
    // Its own dispatcher refuses loopback, where the applications of the tests are told about logouts.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
    features: {
      devInteractions: { enabled: true },
      encryption: { enabled: true },
      jwtUserinfo: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
      userinfo: { enabled: true },
    },
    ttl: {
      AccessToken: (ctx, token, client) => client[ACCESS_TOKEN_TTL] ?? 3600, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400,
      Session: 86400, Grant: 86400, Interaction: 3600,
    },
  });
  for (const event of ['grant.success', 'grant.revoked']) {
    provider.on(event, ({ oidc }) => {
      happened.push({ event, client_id: oidc.client?.clientId ?? '', grant_type: oidc.params.grant_type ?? '' });
    });
  }
  for (const event of ['backchannel.success', 'backchannel.error']) {
    provider.on(event, (ctx, ...rest) => {
      const { clientId } = rest.find((each) => each?.clientId);
      happened.push({ event, client_id: clientId, grant_type: '' });
    });
  }
  provider.on('server_error', (ctx, error) => console.error('server_error', error));
  for (const event of ['authorization.error', 'grant.error', 'userinfo.error', 'end_session.error', 'discovery.error']) {
    provider.on(event, (ctx, error) => {
      console.error(event, error.error, error.error_description, error.error_detail ?? error.cause ?? '');
    });
  }
  return provider;
}

// ---- the listener: a new Provider can step in behind it at any time ------------------------------
const answered = [];
const happened = [];
let issuer;
let keys = freshKeys();
let provider;
let answer;

// A Provider never changes its keys, so one with new keys takes over what the old one remembers.
function install() {
  provider = newProvider(issuer, keys);
  answer = provider.callback();
}

async function register(request) {
  const metadata = await json(request);
  await new Memory('Client').upsert(metadata.client_id, metadata);
  try {
    await provider.Client.find(metadata.client_id);
  } catch (error) {
    await new Memory('Client').destroy(metadata.client_id);
    return [400, { error: error.error ?? 'error', error_description: error.error_description ?? error.message }];
  }
  return [204, undefined];
}

async function rotate(request) {
  const { keep_old: keepOld = false } = await json(request);
  const fresh = freshKeys();
  // Of several fitting keys the provider signs with the first.
  keys = keepOld ? [...fresh, ...keys] : fresh;
  install();
  return [200, { kids: fresh.filter((key) => key.use === 'sig').map((key) => key.kid) }];
}

async function forget(request) {
  const { client_id: clientId } = await json(request);
  await new Memory('AccessToken').destroyByClient(clientId);
  return [204, undefined];
}

const forTests = new Map([
  ['POST /__test/clients', register],
  ['POST /__test/rotate', rotate],
  ['POST /__test/forget', forget],
  ['GET /__test/requests', async () => [200, answered]],
  ['GET /__test/events', async () => [200, happened]],
]);

async function serve(request, response) {
  const path = request.url.split('?', 1)[0];
  const special = forTests.get(`${request.method} ${path}`);
  if (!special) {
    response.on('finish', () => answered.push({ method: request.method, path, status: response.statusCode }));
    return answer(request, response);
  }
  const [status, body] = await special(request);
  response.writeHead(status, { 'content-type': 'application/json' });
  return response.end(body === undefined ? undefined : JSON.stringify(body));
}

const server = createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  install();
  console.log(`ready ${issuer}`);
});
// The tests hold the other end: when they end, however they do, so does the provider.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
