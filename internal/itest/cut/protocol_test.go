package cut

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row is a request and its expected kind.
type row struct {
	bytes string
	kind  requestKind
}

// check lets the dialect read the requests of all rows from one stream.
func check(t *testing.T, d dialect, want ...row) {
	t.Helper()
	var all string
	for _, row := range want {
		all += row.bytes
	}
	r := bufio.NewReader(io.MultiReader(strings.NewReader(all[:len(all)/2]), strings.NewReader(all[len(all)/2:])))
	for i, row := range want {
		got, err := d.next(r)
		require.NoError(t, err, i)
		assert.Equal(t, row.kind, got.kind, i)
		assert.Equal(t, len(row.bytes), len(got.bytes), i)
		assert.True(t, row.bytes == string(got.bytes), i)
	}
	_, err := d.next(r)
	require.ErrorIs(t, err, io.EOF)
}

// pg returns a message of PostgreSQL. It has no type if kind is 0.
func pg(kind byte, body string) string {
	text := string(binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))) + body
	if kind == 0 {
		return text
	}
	return string(kind) + text
}

// code returns the start of the body of a message without a type.
func code(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func TestPostgres(t *testing.T) {
	t.Parallel()
	startup := pg(0, code(196608)+"user\x00postgres\x00\x00")
	sync := pg('S', "")
	check(
		t, Postgres.dial(),
		row{pg(0, code(gssEncRequest)), other},
		row{pg(0, code(sslRequest)), other},
		row{startup, other},
		row{pg('p', "password\x00"), other},
		row{pg('Q', "begin\x00"), statement},
		row{pg('Q', "INSERT INTO n VALUES ('"+strings.Repeat("x", 100_000)+"')\x00"), statement},
		row{pg('Q', " Commit ;\n\x00"), commit},
		row{pg('Q', "COMMIT PREPARED 'x'\x00"), statement},
		row{pg('Q', "\x00"), statement},

		row{pg('P', "a\x00SELECT 1\x00\x00\x00") + pg('D', "Sa\x00") + sync, prepare},
		row{pg('P', "b\x00commit\x00\x00\x00") + pg('H', ""), prepare},
		row{sync, other},
		row{pg('B', "\x00a\x00rest") + pg('D', "P\x00") + pg('E', "\x00\x00\x00\x00\x00") + sync, statement},
		row{pg('B', "\x00b\x00rest") + pg('E', "\x00\x00\x00\x00\x00") + sync, commit},
		row{pg('B', "portal\x00a\x00rest") + pg('E', "\x00\x00\x00\x00\x00") + sync, commit},
		row{pg('E', "portal\x00\x00\x00\x00\x00") + sync, statement},
		row{pg('P', "\x00COMMIT\x00\x00\x00") + pg('B', "\x00\x00rest") + pg('E', "\x00\x00\x00\x00\x00") + sync, commit},
		row{pg('C', "Sa\x00") + sync, other},
		row{pg('d', "1\n"), other},
		row{pg('c', ""), other},
		row{pg('X', ""), other},
	)
	check(t, Postgres.dial(), row{pg(0, code(80877102)+"processkey"), other}) // a request to cancel

	_, err := Postgres.dial().next(bufio.NewReader(strings.NewReader("\x00\x00\x00\x03")))
	require.EqualError(t, err, "cut: not a message of PostgreSQL's protocol")
}

func TestPostgresAnswered(t *testing.T) {
	t.Parallel()
	// after returns a dialect that has read the messages.
	after := func(messages ...string) dialect {
		d := Postgres.dial()
		r := bufio.NewReader(strings.NewReader(pg(0, code(196608)) + strings.Join(messages, "")))
		for range 1 + len(messages) {
			_, err := d.next(r)
			require.NoError(t, err)
		}
		return d
	}
	flush := pg('P', "\x00SELECT 1\x00\x00\x00") + pg('H', "")
	synced, flushed := after(flush, pg('S', "")), after(pg('Q', "SELECT 1\x00"), flush)
	done, ready := pg('C', "COMMIT\x00"), pg('Z', "I")
	for _, test := range []struct {
		reply           string
		synced, flushed bool
	}{
		{"", false, false},
		{done, false, true},
		{done + ready, true, true},
		{done + ready[:5], false, true},
		{ready, true, true},
		{pg('N', "a notice\x00"), false, true},
		{pg('G', "\x00\x00\x00"), true, true}, // the server waits for the data of a COPY
	} {
		assert.Equal(t, test.synced, synced.answered([]byte(test.reply)), "%q", test.reply)
		assert.Equal(t, test.flushed, flushed.answered([]byte(test.reply)), "%q", test.reply)
	}
}

// my returns a packet of MySQL.
func my(sequence byte, body string) string {
	return string([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), sequence}) + body
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	full := string(bytes.Repeat([]byte{'x'}, mysqlFull))
	check(
		t, MySQL.dial(),
		row{my(1, "\x03logging in"), other},
		row{my(3, "\x03"), other},
		row{my(0, "\x03COMMIT"), commit},
		row{my(0, "\x03commit;"), commit},
		row{my(0, "\x03START TRANSACTION"), statement},
		row{my(0, "\x03"), statement},
		row{my(0, "\x16INSERT INTO n VALUES (?)"), prepare},
		row{my(0, "\x17\x01\x00\x00\x00"), statement},
		row{my(0, "\x19\x01\x00\x00\x00"), other}, // close a prepared statement
		row{my(0, "\x0e"), other},                 // ping
		row{my(2, ""), other},                     // the end of a file
		row{my(0, "\x03"+full[1:]) + my(1, ""), statement},
		row{my(0, "\x01"), other}, // quit
	)
	d := MySQL.dial()
	ok := my(1, "\x00\x00\x00\x02\x00\x00\x00")
	assert.False(t, d.answered(nil))
	assert.False(t, d.answered([]byte(ok[:4])))
	assert.False(t, d.answered([]byte(ok[:len(ok)-1])))
	assert.True(t, d.answered([]byte(ok)))
	assert.True(t, d.answered([]byte(ok+"more")))
}
