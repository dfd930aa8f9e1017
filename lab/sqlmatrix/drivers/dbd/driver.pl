# Perl's DBI with the driver that the first argument names: Pg, mysql or MariaDB. "prepared" as the second has DBD::mysql and DBD::MariaDB prepare on the server,
# and DBD::Pg from the first execution on.
use strict;
use warnings;
use DBI;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__) . '/../common';
use Sqlm;

my ($driver, $prepared) = @ARGV;
DBI->install_driver($driver);
binmode STDIN, ':encoding(UTF-8)' if $driver eq 'MariaDB'; # has characters, the others bytes

package Player;

sub open {
    my $self = shift;
    my ($transport, $port, $database) = map { Sqlm::setting($_) } qw(TRANSPORT PORT DATABASE);
    my %options = (RaiseError => 1, PrintError => 0, AutoCommit => 1);
    my $dsn;
    if ($driver eq 'Pg') {
        my $host = Sqlm::setting($transport eq 'unix' ? 'SOCKET' : 'HOST');
        $dsn = "host=$host;port=$port;dbname=$database;gssencmode=disable;sslmode=" . ($transport eq 'tls' ? 'require' : 'disable');
        $options{pg_enable_utf8} = 0; # texts are bytes here
        $options{pg_switch_prepared} = 1 if $prepared;
    } else {
        my $prefix = lc $driver;
        my $way = $transport eq 'unix' ? "${prefix}_socket=" . Sqlm::setting('SOCKET') : 'host=' . Sqlm::setting('HOST') . ";port=$port";
        $dsn = "database=$database;$way;${prefix}_multi_statements=1;${prefix}_local_infile=1";
        $dsn .= ";mysql_enable_utf8mb4=0" if $driver eq 'mysql';
        $dsn .= ";${prefix}_ssl=1;${prefix}_ssl_ca_file=" . Sqlm::setting('CA') if $transport eq 'tls';
        $dsn .= ";mysql_ssl_optional=1" if $transport eq 'tls' && $driver eq 'mysql'; # Debian's cannot insist
        $options{"${prefix}_server_prepare"} = $prepared ? 1 : 0;
        $options{"${prefix}_server_prepare_disable_fallback"} = 0;
    }
    $self->{dbh} = DBI->connect("DBI:$driver:$dsn", Sqlm::setting('USER'), Sqlm::setting('PASSWORD'), \%options);
    return if $driver ne 'mysql';
    $self->{dbh}->do('SET NAMES utf8mb4');
    die "no TLS\n" if $transport eq 'tls' && !$self->{dbh}->selectrow_array(q{SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'});
}

sub bound {
    my ($self, $sth, @args) = @_;
    my $i = 0;
    for my $arg (@args) {
        my $type = $arg =~ /^i:/ ? DBI::SQL_BIGINT() : $arg =~ /^f:/ ? DBI::SQL_DOUBLE() : undef;
        $sth->bind_param(++$i, Sqlm::value($arg), $type);
    }
    $sth->execute;
    $sth->fetchall_arrayref if $sth->{NUM_OF_FIELDS};
    $sth->finish;
    return 1;
}

sub do_query {
    my ($self, $sql, @args) = @_;
    return $self->bound($self->{dbh}->prepare($sql), @args) if @args || $sql =~ /^\s*(SELECT|WITH)/;
    $self->{dbh}->do($sql);
    return 1;
}

sub do_prepare {
    my ($self, $name, $sql) = @_;
    $self->{prepared}{$name} = $self->{dbh}->prepare($sql, $driver eq 'Pg' ? { pg_prepare_now => 1 } : {});
    return 0;
}

sub do_execute {
    my ($self, $name, @args) = @_;
    return $self->bound($self->{prepared}{$name}, @args);
}

sub do_many {
    my ($self, $sql, @args) = @_;
    my @sets = ([]);
    for my $arg (@args) {
        if ($arg eq ';') { push @sets, [] }
        else { push @{ $sets[-1] }, Sqlm::value($arg) }
    }
    my $sth = $self->{dbh}->prepare($sql);
    $sth->execute_array({ ArrayTupleFetch => sub { shift @{ $self->{sets} } } }) if ($self->{sets} = [@sets]);
    return scalar @sets;
}

sub do_begin { $_[0]{dbh}->begin_work; return 0 }

sub do_commit { $_[0]{dbh}->commit; return 0 }

sub do_rollback { $_[0]{dbh}->rollback; return 0 }

sub do_fail {
    my ($self, @fields) = @_;
    die "no error\n" if eval { $self->do_query(@fields) };
    die $@ unless $self->{dbh}->err;
    return 1;
}

sub do_copyin {
    my ($self, $sql, $data) = @_;
    $self->{dbh}->do($sql);
    $self->{dbh}->pg_putcopydata($_) for $data =~ /.*\n/g;
    $self->{dbh}->pg_putcopyend;
    return 1;
}

sub do_copyout {
    my ($self, $sql) = @_;
    $self->{dbh}->do($sql);
    my $row;
    1 while $self->{dbh}->pg_getcopydata($row) >= 0;
    return 1;
}

sub do_loadin {
    my ($self, $sql, $data) = @_;
    chdir File::Temp::tempdir(CLEANUP => 1);
    CORE::open(my $file, '>', 'data') or die $!;
    print $file $data;
    CORE::close($file);
    $self->{dbh}->do($sql);
    chdir '/';
    return 1;
}

# Rows are read as they are asked for, which waits for ever with statements prepared on the server.
sub do_cursor {
    my ($self, $rows, $sql, @args) = @_;
    my $sth = $self->{dbh}->prepare($sql, { lc($driver) . '_use_result' => 1, lc($driver) . '_server_prepare' => 0 });
    $sth->execute(Sqlm::values(@args));
    1 while $sth->fetchrow_arrayref;
    $sth->finish;
    return 1;
}

sub do_script {
    my ($self, $sql) = @_;
    if ($driver eq 'Pg') {
        $self->{dbh}->do($sql);
    } else { # a text of several is not prepared
        my $sth = $self->{dbh}->prepare($sql, { lc($driver) . '_server_prepare' => 0 });
        $sth->execute;
        do { $sth->fetchall_arrayref if $sth->{NUM_OF_FIELDS} } while $sth->more_results;
    }
    return Sqlm::comments($sql);
}

sub do_notify {
    my ($self, $channel, $listen, $notify) = @_;
    $self->{dbh}->do($_) for $listen, $notify;
    for (1 .. 100) {
        return 2 if $self->{dbh}->pg_notifies;
        select undef, undef, undef, 0.1;
    }
    die "no notification\n";
}

sub close { $_[0]{prepared} = {}; $_[0]{dbh}->disconnect }

package main;

Sqlm::play(bless({}, 'Player'), {
    binary => 'DBI binds no binary values',
    pipe => 'DBI has no pipeline',
    $driver eq 'Pg' ? (cursor => 'DBD::Pg has no API for cursors') : (),
});
