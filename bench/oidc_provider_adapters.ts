import pg from 'pg'

/** What oidc-provider keeps its models in. */
export interface OpenAdapter {
  readonly adapter: object
  close(): Promise<void>
}

type Payload = Readonly<Record<string, unknown>> & {
  readonly grantId?: string
  readonly uid?: string
  readonly userCode?: string
}

interface LeastRecentlyUsed {
  get(key: string): unknown
}

/** The package's own memory adapter, with room for what a run makes: by default it forgets beyond 1000 entries. */
export async function openMemoryAdapter(): Promise<OpenAdapter> {
  const [adapter, lru]: string[] = ['oidc-provider/lib/adapters/memory_adapter.js', 'oidc-provider/lib/helpers/lru.js']
  const { default: MemoryAdapter } = (await import(adapter!)) as {
    default: new (model: string, store: LeastRecentlyUsed) => object
  }
  const { default: Lru } = (await import(lru!)) as { default: new (options: object) => LeastRecentlyUsed }
  const store = new Lru({ maxSize: 200_000 })
  return { adapter: (model: string) => new MemoryAdapter(model, store), close: async () => {} }
}

const SCHEMA = `
  create table oidc_payloads (
    model text not null,
    id text not null,
    payload jsonb not null,
    grant_id text,
    uid text,
    user_code text,
    expires_at timestamptz,
    consumed_at timestamptz,
    primary key (model, id)
  );
  create index on oidc_payloads (grant_id) where grant_id is not null;
  create index on oidc_payloads (uid) where uid is not null;
  create index on oidc_payloads (user_code) where user_code is not null;
  create index on oidc_payloads (expires_at)`

const UPSERT = `
  insert into oidc_payloads (model, id, payload, grant_id, uid, user_code, expires_at)
  values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
  on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
    user_code = excluded.user_code, expires_at = excluded.expires_at`

const FIND = (column: string) => `
  select payload, extract(epoch from consumed_at)::bigint::int as consumed from oidc_payloads
  where model = $1 and ${column} = $2 and (expires_at is null or expires_at > now())`

/** An adapter as its documentation asks for, over one indexed table: prepared statements, a pool, one query a call. */
export async function openPostgresAdapter(connectionString: string): Promise<OpenAdapter> {
  const pool = new pg.Pool({ connectionString, max: 10 })
  await pool.query(SCHEMA)
  const run = (name: string, text: string, ...values: unknown[]) => pool.query({ name, text, values })
  const find = async (name: string, column: string, model: string, value: string) => {
    const { rows } = await run(name, FIND(column), model, value)
    const [row] = rows as { payload: Payload; consumed: number | null }[]
    if (!row) return undefined
    return row.consumed === null ? row.payload : { ...row.payload, consumed: row.consumed }
  }
  const adapter = (model: string) => ({
    async upsert(id: string, payload: Payload, expiresIn?: number) {
      const { grantId = null, uid = null, userCode = null } = payload
      await run('upsert', UPSERT, model, id, JSON.stringify(payload), grantId, uid, userCode, expiresIn ?? null)
    },
    find: (id: string) => find('find', 'id', model, id),
    findByUid: (uid: string) => find('find_by_uid', 'uid', model, uid),
    findByUserCode: (userCode: string) => find('find_by_user_code', 'user_code', model, userCode),
    async consume(id: string) {
      await run('consume', 'update oidc_payloads set consumed_at = now() where model = $1 and id = $2', model, id)
    },
    async destroy(id: string) {
      await run('destroy', 'delete from oidc_payloads where model = $1 and id = $2', model, id)
    },
    async revokeByGrantId(grantId: string) {
      await run('revoke', 'delete from oidc_payloads where grant_id = $1', grantId)
    },
  })
  return { adapter, close: () => pool.end() }
}
