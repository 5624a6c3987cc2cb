package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The audit notices every kind of mistake.
func TestAudit(t *testing.T) {
	t.Parallel()
	asked := []transfer{{"a", 1, 2, 10}, {"b", 2, 3, 20}}
	for statement, want := range map[string]string{
		``:                                     "",
		`DELETE FROM transfers WHERE id = 'b'`: "audit: transfer b is on record 0 times, want once",
		`UPDATE transfers SET amount = 11 WHERE id = 'a'`:   "audit: transfer a is on record 0 times, want once",
		`INSERT INTO transfers VALUES ('c', 1, 2, 10)`:      "audit: 3 transfers are on record, want 2",
		`UPDATE accounts SET balance = 1000 WHERE id = 3`:   "audit: account 3 holds 1000, by the record it should be 1020",
		`UPDATE accounts SET balance = 980 WHERE id = 1`:    "audit: account 1 holds 980, by the record it should be 990",
		`DELETE FROM accounts WHERE id = 2; SELECT 1 = '1'`: "audit: account 2 holds 0, by the record it should be 990",
	} {
		ctx := t.Context()
		d, err := openSQLite(ctx)
		require.NoError(t, err)
		c := d.caller("test", d.handles[0], newLog(io.Discard))
		for _, transfer := range asked {
			require.NoError(t, c.makeTransfer(ctx, transfer, nil))
		}
		_, err = d.handles[1].ExecContext(ctx, statement)
		require.NoError(t, err)

		got, err := audit(ctx, d.handles[0], asked)
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, balances{1: 990, 2: 990, 3: 1020}, got)
		} else {
			require.EqualError(t, err, want, statement)
		}
		require.NoError(t, d.close())
	}
}
