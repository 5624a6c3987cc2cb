package servers

import (
	"database/sql"
	"path/filepath"

	"github.com/go-sql-driver/mysql"
)

// mariadbOptions are for the server and for the installer that creates the data folder. "loose" means
// that a version without the option ignores it.
var mariadbOptions = []string{
	// A killed process loses nothing that it has written; only a crash of the machine would.
	"--loose-innodb-flush-method=nosync",
	"--loose-debug-no-sync",
	"--loose-skip-sync-frm",
	// Small files are quick to create and to copy.
	"--loose-innodb-log-file-size=8M",
	"--loose-innodb-buffer-pool-size=16M",
	"--loose-aria-pagecache-buffer-size=8M",
	// Containers refuse io_uring, and it is slow to start and to end.
	"--loose-skip-innodb-use-native-aio",
}

// mariadbTemp gives a server its own folder for temporary tables. When a server starts it deletes all
// temporary tables in that folder, even those of another server.
func mariadbTemp(folder string) string { return "--tmpdir=" + folder }

var mariadb = &kind{
	name:   "MariaDB",
	debian: "mariadb-server",
	user:   "mysql",
	signal: "KILL",

	find: func() (program, installer string) {
		folders := []string{"/usr/sbin", "/usr/bin"}
		return find(folders, "mariadbd"), find(folders, "mariadb-install-db", "mysql_install_db")
	},

	// The installer creates a database with the name test.
	install: func(installer, data string) []string {
		return append([]string{
			installer, "--no-defaults", "--datadir=" + data, mariadbTemp(filepath.Dir(data)),
			"--auth-root-authentication-method=normal", "--skip-name-resolve",
		}, mariadbOptions...)
	},

	run: func(program, folder, port string, settings []string) []string {
		args := append([]string{
			program, "--no-defaults", "--datadir=" + filepath.Join(folder, "data"), mariadbTemp(folder),
			"--socket=" + filepath.Join(folder, "socket"), "--pid-file=" + filepath.Join(folder, "pid"),
			"--bind-address=127.0.0.1", "--port=" + port, "--skip-name-resolve",
			"--innodb-flush-log-at-trx-commit=1", // an acknowledged commit survives a kill
		}, mariadbOptions...)
		for _, setting := range settings {
			args = append(args, "--"+setting)
		}
		return args
	},

	dsn: mariadbDSN,
	open: func(addr string) (*sql.DB, error) {
		cfg, err := mysql.ParseDSN(mariadbDSN(addr))
		if err != nil {
			return nil, err
		}
		cfg.Logger = &mysql.NopLogger{} // it would log that the server is not ready yet
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	},
	folder: "SELECT @@datadir",
}

func mariadbDSN(addr string) string { return "root@tcp(" + addr + ")/test" }
