# What Perl programs do: regular expressions, hashes, lists.
use strict;
use warnings;

open my $file, '<', '/bench/text' or die;
read $file, my $text, 800000;
my (%words, %pairs);
my $last = '';
while ($text =~ /\b([a-z]+)\b/gi) {
    ++$words{lc $1};
    ++$pairs{substr($last, 0, 2) . substr $1, -1};
    $last = $1;
}
my @common = sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words;
print join(' ', map { "$_=$words{$_}" } @common[0 .. 40]), "\n";
(my $changed = $text) =~ s/(\w)(\w+)/uc($2) . $1/ge;
print unpack('%32C*', $changed), ' ', $changed =~ tr/A-M//, "\n";
print join(',', map { sprintf '%s:%.3f', $_, sqrt $pairs{$_} } sort keys %pairs), "\n";
