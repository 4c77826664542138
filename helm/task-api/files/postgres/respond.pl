#!/usr/bin/perl
# Answers each connection to port 5432 with one word, in the place of Postgres.
use strict;
use warnings;
use IO::Socket::IP;

$SIG{PIPE} = 'IGNORE';
my %listen = (LocalPort => 5432, Listen => 8, ReuseAddr => 1);
my $socket = IO::Socket::IP->new(%listen, LocalAddr => '::', V6Only => 0)
  || IO::Socket::IP->new(%listen, LocalAddr => '0.0.0.0')
  || die "port 5432: $@\n";
while (1) {
    my $client = $socket->accept or next;
    print $client "$ARGV[0]\n";
    close $client;
}
