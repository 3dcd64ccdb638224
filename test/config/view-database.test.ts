import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { readConfig, settingsInUse } from '../../src/config/index.ts'

const postgresOf = (url: string) => {
  const { viewDatabase } = readConfig({ VIEW_DATABASE_URL: url })
  return viewDatabase !== null && 'postgres' in viewDatabase ? viewDatabase.postgres : undefined
}

const shownOf = (url: string) =>
  settingsInUse({ VIEW_DATABASE_URL: url }).find(({ name }) => name === 'VIEW_DATABASE_URL')?.value

test('the URL of a PostgreSQL says where it is and how to get in', (t) => {
  const plain = { tls: 'disable', files: { sslrootcert: undefined, sslcert: undefined, sslkey: undefined } }
  const unset = { schema: undefined, options: undefined }
  t.deepEqual(postgresOf('postgres://ada:s%40cret@db.example:6432/shop'), {
    ...{ host: 'db.example', port: 6432, database: 'shop', user: 'ada', password: 's@cret', ...plain, ...unset }
  })
  t.deepEqual(postgresOf('postgresql://ada@[::1]/shop?schema=blue&options=-c%20work_mem%3D8MB'), {
    ...{ host: '::1', port: 5432, database: 'shop', user: 'ada', password: undefined, ...plain },
    ...{ schema: 'blue', options: '-c work_mem=8MB' }
  })
  t.like(postgresOf('postgres://a@b/c?sslmode=verify-full&sslrootcert=/ca.pem&sslcert=c.pem&sslkey=k.pem'), {
    tls: 'verify-full',
    files: { sslrootcert: '/ca.pem', sslcert: 'c.pem', sslkey: 'k.pem' }
  })
  t.is(postgresOf('postgres://a@b/c?sslmode=require')?.tls, 'require')
})

test('the password is shown nowhere', (t) => {
  t.is(shownOf('postgres://ada:secret@db/shop?schema=a'), 'postgres://ada:***@db/shop?schema=a')
  t.is(shownOf('postgres://ada@db/shop'), 'postgres://ada@db/shop')
  t.is(shownOf('sqlite:/tmp/a:b@c.db'), 'sqlite:/tmp/a:b@c.db')
  const wrong = [
    ...['postgres://ada:se/cret@db/shop', 'postgres://ada:se?cret@db/shop', 'postgres://ada:se#cret@db/shop'],
    ...['postgres:ada:secret@db', 'postgres//ada:secret@db', 'ada:secret@db/shop', 'postgres://ada:se@cret@db/shop'],
    ...['postgres://ada:secret@db:port/shop', 'postgres://ada:secret@db', 'mysql://ada:secret@db/shop'],
    ...['postgres://db/shop?password=secret', 'postgres://db/shop?user=ada&sslpassword=secret&x=y'],
    ...['postgres://ada:sec%ret@db/shop', 'postgres://ada/secret@db/shop', 'postgres://ada:secret@db/shop?sslmode=on']
  ]
  for (const url of wrong) {
    t.notRegex(shownOf(url) ?? '', /se.?cret|cret|secret/, url)
    t.notRegex(wrongWith(url), /se.?cret|cret/, url)
  }
})

const wrongWith = (url: string): string => {
  try {
    readConfig({ VIEW_DATABASE_URL: url })
    return ''
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONFIG_INVALID')) throw error
    return error.message
  }
}

const form = "expected 'sqlite:' and the path of a file, or 'postgres://user:password@host:port/database'"

const refused = test.macro({
  title: (_, url: string) => `VIEW_DATABASE_URL refuses '${url}'`,
  exec: (t, url: string, wrong: string) => {
    t.is(wrongWith(url), `VIEW_DATABASE_URL: '${shownOf(url)}' is not accepted; ${form}; ${wrong}`)
  }
})

test(refused, 'mysql://db/shop', 'leave it out if in doubt')
test(refused, 'sqlite:', 'leave it out if in doubt')
test(refused, 'postgres://db/shop', 'it names no user')
test(refused, 'postgres:///shop', 'it names no host')
test(refused, 'postgres://ada@db', 'its path is not the name of a database')
test(refused, 'postgres://ada@db/shop/blue', 'its path is not the name of a database')
const escapes = "what is special in a password is written with '%', as '%40' for '@'"
test(refused, 'postgres://ada:pass@db:99999/shop', `it is no such URL; ${escapes}`)
test(refused, 'postgres:ada@db/shop', `it is no such URL; ${escapes}`)
test(
  refused,
  'postgres://ada:50%@db/shop',
  "it has a '%' that is not followed by two hexadecimal digits; write '%25' for it"
)
test(refused, 'postgres://ada@db/shop?sslmod=require', "it has a parameter 'sslmod'; did you mean 'sslmode'?")
test(
  refused,
  'postgres://ada@db/shop?pool=5',
  "it has a parameter 'pool'; there are 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'schema', 'options'"
)
test(
  refused,
  'postgres://ada@db/shop?sslmode=prefer',
  "its sslmode is none of 'disable', 'require', 'verify-ca', 'verify-full'"
)
test(
  refused,
  'postgres://ada@db/shop?sslmode=require&sslrootcert=ca.pem',
  "it has 'sslrootcert', which is looked at with sslmode 'verify-ca' or 'verify-full' only"
)
test(
  refused,
  'postgres://ada@db/shop?sslmode=require&sslcert=a.pem',
  "it has one of 'sslcert' and 'sslkey' without the other"
)
test(
  refused,
  'postgres://ada@db/shop?sslcert=a.pem&sslkey=b.pem',
  "it has 'sslcert' without TLS, which sslmode asks for"
)
test(
  refused,
  'postgres://ada@db/shop?schema=Blue-1',
  "its schema is not made of small letters, digits and '_', at most 63 of them"
)
