# The loop of a driver program in Perl: reads a job, lets a player do its operations, and says what was sent for each label.
package Sqlm;
use strict;
use warnings;

sub setting { return $ENV{"SQLM_$_[0]"} }

sub value {
    my ($kind, $text) = split /:/, $_[0], 2;
    return undef if $kind eq 'n';
    return [split /,/, $text] if $kind eq 'T' || $kind eq 'I';
    return pack 'H*', $text if $kind eq 'x';
    return $text;
}

sub values { return map { value($_) } @_ }

# Gives the number of statements of a script.
sub comments { return scalar(() = $_[0] =~ m{/\*}g) }

# Plays the job. An operation NAME is the player's method do_NAME, which gives the number of statements sent.
sub play {
    my ($player, $missing) = @_;
    my %letters = (t => "\t", n => "\n");
    $| = 1;
    print "ready\n";
    my @job = <STDIN>;
    $player->open;
    my ($label, @operations);
    for my $line (@job) {
        chomp $line;
        my ($name, @fields) = map { s/\\(.)/$letters{$1} || $1/ger } split /\t/, $line, -1;
        if ($name eq 'label') {
            ($label, @operations) = ($fields[0]);
        } elsif ($name eq 'end') {
            say($player, $missing, $label, @operations);
        } else {
            push @operations, [$name, @fields];
        }
    }
    $player->close;
}

sub say {
    my ($player, $missing, $label, @operations) = @_;
    for my $operation (@operations) {
        my $name = $operation->[0];
        next if !$missing->{$name} && $player->can("do_$name");
        print "na\t$label\t", $missing->{$name} || "no API for $name", "\n";
        return;
    }
    my $sent = 0;
    for my $operation (@operations) {
        my ($name, @fields) = @$operation;
        my $method = $player->can("do_$name");
        $sent += eval { $player->$method(@fields) } // die "$label: $name $fields[0]: $@";
    }
    print "sent\t$label\t$sent\n";
}

1;
