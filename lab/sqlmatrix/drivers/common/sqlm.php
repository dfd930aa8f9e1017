<?php
// The loop of a driver program in PHP: reads a job, lets a player do its operations, and says what was sent for each label.

function setting(string $name): string
{
    return getenv("SQLM_$name");
}

function value(string $arg): mixed
{
    $text = substr($arg, 2);
    return match ($arg[0]) {
        'i' => (int)$text,
        'f' => (float)$text,
        'b' => $text === 'true',
        'n' => null,
        'x' => hex2bin($text),
        'T', 'I' => '{' . $text . '}', // PDO has no arrays: PostgreSQL's text for one
        default => $text,
    };
}

/** Gives the number of statements of a script. */
function comments(string $sql): int
{
    return substr_count($sql, '/*');
}

/** Plays the job. An operation is a method of the player, which gives the number of statements sent; missing names those it has not, with the reason. */
function play(object $player, array $missing): void
{
    echo "ready\n";
    $label = '';
    $operations = [];
    $job = explode("\n", stream_get_contents(STDIN));
    $player->open();
    foreach ($job as $line) {
        $fields = array_map(fn($f) => preg_replace_callback('/\\\\(.)/', fn($m) => ['t' => "\t", 'n' => "\n"][$m[1]] ?? $m[1], $f), explode("\t", $line));
        $name = array_shift($fields);
        if ($name === 'label') {
            $label = $fields[0];
            $operations = [];
        } elseif ($name === 'end') {
            say($player, $missing, $label, $operations);
        } elseif ($name !== '') {
            $operations[] = [$name, $fields];
        }
    }
    $player->close();
}

function say(object $player, array $missing, string $label, array $operations): void
{
    foreach ($operations as [$name]) {
        if (isset($missing[$name]) || !method_exists($player, "do_$name")) {
            echo "na\t$label\t", $missing[$name] ?? "no API for $name", "\n";
            return;
        }
    }
    $sent = 0;
    foreach ($operations as [$name, $fields]) {
        try {
            $sent += $player->{"do_$name"}(...$fields);
        } catch (Throwable $e) {
            fwrite(STDERR, "$label: $name {$fields[0]}\n");
            throw $e;
        }
    }
    echo "sent\t$label\t$sent\n";
}
