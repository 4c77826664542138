#!/usr/bin/perl
# Turns a URL of Postgres on standard input into a service file, which libpq reads with the password in it.
use strict;
use warnings;

my $url = do { local $/; <STDIN> };
$url =~ s/\s+\z//;
my ($user, $password, $hosts, $database, $query) =
  $url =~ m{^postgres(?:ql)?://(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]*)(?:/([^?]*))?(?:\?(.*))?$}
  or die "the URL of Postgres can't be read: it is no postgres://user:password\@host:port/name\n";

sub text {
    my $text = shift // '';
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    die "the URL of Postgres holds a line break\n" if $text =~ /[\r\n]/;
    return $text;
}

my (@hosts, @ports);
for my $host (split /,/, $hosts) {
    my ($name, $port) = $host =~ /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/ or die "a host of the URL of Postgres can't be read\n";
    $name =~ s/^\[|\]$//g;
    push @hosts, text($name);
    push @ports, $port // 5432;
}
my %known = map { $_ => 1 } qw(sslmode sslrootcert sslcert sslkey channel_binding target_session_attrs gssencmode);
my %set = map { /^(\w+)=(.*)$/ && $known{$1} ? ($1 => text($2)) : () } split /&/, $query // '';
$set{target_session_attrs} //= 'read-write' if @hosts > 1;
my %service = (
    host => join(',', @hosts), port => join(',', @ports), user => text($user), password => text($password),
    dbname => text($database), %set,
);
print "[task-api]\n", map { "$_=$service{$_}\n" } grep { $service{$_} ne '' } sort keys %service;
