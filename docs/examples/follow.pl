#!/usr/bin/perl
# Follow a running board from Perl, exactly: the modules ZMQ::FFI (Debian: libzmq-ffi-perl) and JSON::PP (comes with Perl).
use strict; use warnings;
use JSON::PP; use Time::HiRes qw(time);
use ZMQ::FFI qw(ZMQ_SUB ZMQ_DEALER ZMQ_DONTWAIT);

$| = 1; binmode STDOUT, ':utf8';
my $base = $ENV{XDG_RUNTIME_DIR} || ($^O eq 'darwin' && $ENV{TMPDIR});
my $folder = $ENV{BELLBOARD_RUNTIME_DIR} || ($base ? "$base/bellboard" : "/tmp/bellboard-$<");
my $zmq = ZMQ::FFI->new;
my ($events, $asking) = ($zmq->socket(ZMQ_SUB), $zmq->socket(ZMQ_DEALER));
$events->connect("ipc://$folder/events.sock");
$events->subscribe('');
$asking->connect("ipc://$folder/snapshot.sock");
my ($board, $epoch, $seqs, @heard, @pages, $request, $asked) = (undef, '', {});
($request, $asked) = (0, 0);

sub behind { ($board, @heard) = (undef, @_); $asked = time - 2 + rand 1 }    # ask again, not all at the same moment

sub take {
    my ($event) = @_;
    return push @heard, $event if !$board;
    my ($source, $seq, $last) = (@$event{qw(source source_seq)}, $seqs->{ $event->{source} } // 0);
    return if $event->{epoch} eq $epoch && $seq <= $last;                    # the snapshot had it already
    return behind($event) if $event->{epoch} ne $epoch || $seq != $last + 1;
    $seqs->{$source} = $seq;
    if    ($event->{kind} eq 'health')  { return print "health $source $event->{health}{status}\n" }
    elsif ($event->{kind} eq 'removed') { delete $board->{"$source $event->{id}"} }
    else                                { $board->{"$source $event->{id}"} = $event->{session} }
    print "$event->{kind} $source $event->{id} $event->{session}{activity}\n";
}

sub beat {    # each second; only now the subscription is known to work
    my ($now, $last) = @{ $_[0] }{qw(epoch source_seqs)};
    behind() if $board && ($now ne $epoch || grep { $last->{$_} > ($seqs->{$_} // 0) } keys %$last);
    return if $board || time - $asked < 2;
    ($asked, @pages) = (time);
    $request++;
    eval { $asking->send(encode_json({ request => $request }), ZMQ_DONTWAIT) };    # not there: the next beat asks again
}

sub answer {
    my ($page) = @_;
    return if $board || $page->{request} != $request || push(@pages, $page) != $page->{page} + 1 || !$page->{last};
    $board = { map { ("$_->{source} $_->{id}" => $_) } map { @{ $_->{sessions} } } @pages };
    ($epoch, $seqs) = @$page{qw(epoch source_seqs)};
    print 'snapshot ', scalar(keys %$board), "\n";
    take($_) for grep { $_->{epoch} eq $epoch } splice @heard;
}

while (1) {
    while ($events->has_pollin) {
        my $event = decode_json(($events->recv_multipart)[1]);
        $event->{kind} eq 'heartbeat' ? beat($event) : take($event);
    }
    answer(decode_json($asking->recv)) while $asking->has_pollin;
    my $ready = '';
    vec($ready, $_->get_fd, 1) = 1 for $events, $asking;
    select $ready, undef, undef, 0.25 if !$events->has_pollin && !$asking->has_pollin;
}
