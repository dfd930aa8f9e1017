<?php
// PDO of PHP over libpq or mysqlnd: prepared on the server, or with the argument "emulated" values written into the text.
require __DIR__ . '/../common/sqlm.php';

class Player
{
    private PDO $pdo;
    private array $prepared = [];

    public function __construct(private bool $emulated)
    {
    }

    public function open(): void
    {
        [$transport, $port, $database] = [setting('TRANSPORT'), setting('PORT'), setting('DATABASE')];
        $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $this->emulated];
        if (setting('ENGINE') === 'mysql') {
            $way = $transport === 'unix' ? 'unix_socket=' . setting('SOCKET') : 'host=' . setting('HOST') . ";port=$port";
            $dsn = "mysql:$way;dbname=$database;charset=utf8mb4";
            $options[PDO::MYSQL_ATTR_LOCAL_INFILE] = true;
            if ($transport === 'tls') {
                $options[PDO::MYSQL_ATTR_SSL_CA] = setting('CA');
                $options[PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT] = false;
            }
        } else {
            $host = setting($transport === 'unix' ? 'SOCKET' : 'HOST');
            $dsn = "pgsql:host=$host;port=$port;dbname=$database;gssencmode=disable;sslmode=" . ($transport === 'tls' ? 'require' : 'disable');
        }
        $this->pdo = new PDO($dsn, setting('USER'), setting('PASSWORD'), $options);
    }

    private function bound(PDOStatement $s, array $args): void
    {
        foreach ($args as $i => $arg) {
            $type = ['i' => PDO::PARAM_INT, 'b' => PDO::PARAM_BOOL, 'n' => PDO::PARAM_NULL, 'x' => PDO::PARAM_LOB][$arg[0]] ?? PDO::PARAM_STR;
            $s->bindValue($i + 1, value($arg), $type);
        }
        $s->execute();
        if ($s->columnCount() > 0) {
            $s->fetchAll();
        }
    }

    public function do_query(string $sql, string ...$args): int
    {
        if ($args) {
            $this->bound($this->pdo->prepare($sql), $args);
        } else {
            $s = $this->pdo->query($sql);
            if ($s->columnCount() > 0) {
                $s->fetchAll();
            }
        }
        return 1;
    }

    public function do_prepare(string $name, string $sql): int
    {
        $this->prepared[$name] = $this->pdo->prepare($sql);
        return 0;
    }

    public function do_execute(string $name, string ...$args): int
    {
        $this->bound($this->prepared[$name], $args);
        return 1;
    }

    public function do_begin(): int
    {
        $this->pdo->beginTransaction();
        return 0;
    }

    public function do_commit(): int
    {
        $this->pdo->commit();
        return 0;
    }

    public function do_rollback(): int
    {
        $this->pdo->rollBack();
        return 0;
    }

    public function do_fail(string $sql, string ...$args): int
    {
        try {
            $this->do_query($sql, ...$args);
        } catch (PDOException) {
            return 1;
        }
        throw new Exception('no error');
    }

    // PDO writes the COPY itself, with what is given as the table's name; the comment goes there.
    public function do_copyin(string $sql, string $data): int
    {
        preg_match('~COPY (/\*.*?\*/) (\w+) \((.*?)\)~', $sql, $m);
        $this->pdo->pgsqlCopyFromArray("$m[1] $m[2]", explode("\n", rtrim($data, "\n")), "\t", '\\\\N', $m[3]);
        return 1;
    }

    public function do_copyout(string $sql): int
    {
        preg_match('~COPY (.*) TO STDOUT~', $sql, $m);
        $this->pdo->pgsqlCopyToArray($m[1]);
        return 1;
    }

    public function do_loadin(string $sql, string $data): int
    {
        $dir = sys_get_temp_dir() . '/sqlm-' . getmypid();
        mkdir($dir, 0700);
        chdir($dir);
        file_put_contents('data', $data);
        $this->pdo->exec($sql);
        unlink('data');
        rmdir($dir);
        return 1;
    }

    // PostgreSQL: a cursor of the server, one row at a time. MySQL: rows are read as they are asked for.
    public function do_cursor(string $rows, string $sql, string ...$args): int
    {
        $mysql = setting('ENGINE') === 'mysql';
        $s = $this->pdo->prepare($sql, $mysql ? [PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false] : [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
        foreach ($args as $i => $arg) {
            $s->bindValue($i + 1, value($arg));
        }
        $s->execute();
        while ($s->fetch(PDO::FETCH_NUM)) {
        }
        $s->closeCursor();
        return 1;
    }

    public function do_script(string $sql): int
    {
        if (setting('ENGINE') === 'mysql') { // MySQL prepares no more than one
            $this->pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, true);
            $s = $this->pdo->query($sql);
            while ($s->nextRowset()) {
            }
            $this->pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, $this->emulated);
        } else {
            $this->pdo->exec($sql);
        }
        return comments($sql);
    }

    public function do_notify(string $channel, string $listen, string $notify): int
    {
        $this->pdo->exec($listen);
        $this->pdo->exec($notify);
        if (!$this->pdo->pgsqlGetNotify(PDO::FETCH_ASSOC, 10000)) {
            throw new Exception('no notification');
        }
        return 2;
    }

    public function close(): void
    {
        $this->prepared = [];
        unset($this->pdo);
    }
}

play(new Player(($argv[1] ?? '') === 'emulated'), [
    'binary' => 'PDO binds no binary values',
    'many' => 'PDO has no batch',
    'pipe' => 'PDO has no pipeline',
]);
