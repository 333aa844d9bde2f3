#!/bin/sh
# Makes Fixtures/random_strings: 10,000 random lines, models trained on them, and the ids that spm_encode gives.
# Needs perl and sentencepiece's command line tools (Debian: sentencepiece 0.1.97), which the tests do not.
#
#   make-random-strings.sh BUILT_MODEL
#
# BUILT_MODEL is the file built.model that RandomStringTests leaves in the test project's output folder.
set -eu
built=$(realpath "$1")
cd "$(dirname "$0")/../Fixtures"
out=$PWD/random_strings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

perl - > "$work/strings" <<'PERL'
use strict;
use warnings;
no warnings 'qw';
binmode STDOUT;
srand(20240229);

# Code point ranges, with weights.
my @ranges = (
    [12, 0x20, 0x7E], [3, 0xA0, 0xFF], [2, 0x100, 0x24F], [1, 0x250, 0x36F], [2, 0x370, 0x3FF], [3, 0x400, 0x52F],
    [1, 0x590, 0x5F4], [2, 0x600, 0x6FF], [2, 0x900, 0x97F], [1, 0xE01, 0xE5B], [1, 0x1100, 0x11FF],
    [1, 0x1E00, 0x1EFF], [2, 0x2000, 0x206F], [1, 0x2070, 0x209C], [1, 0x2100, 0x218B], [1, 0x2190, 0x23FF],
    [1, 0x2460, 0x24FF], [1, 0x2580, 0x27BF], [1, 0x3000, 0x30FF], [1, 0x3200, 0x33FF], [2, 0x4E00, 0x9FFF],
    [1, 0xAC00, 0xD7A3], [1, 0xE000, 0xE010], [1, 0xF900, 0xFAFF], [1, 0xFB00, 0xFDFF], [1, 0xFE00, 0xFE6F],
    [2, 0xFF00, 0xFFFF], [1, 0x10330, 0x1034A], [1, 0x1D400, 0x1D7FF], [1, 0x1F1E6, 0x1F1FF], [3, 0x1F300, 0x1F6FF],
    [1, 0x1F3FB, 0x1F3FF], [1, 0x1F900, 0x1F9FF], [1, 0x20000, 0x2A6DF], [1, 0x300, 0x30F], [1, 0x10FFF0, 0x10FFFF],
);
my @ranged = map { my $r = $_; ($r) x $r->[0] } @ranges;
my @spaces = (0x20, 0x20, 0x20, 0x20, 0x09, 0x0D, 0x0B, 0x85, 0xA0, 0x2003, 0x2028, 0x200B, 0x3000, 0xFEFF);
my @controls = (0x00 .. 0x09, 0x0B .. 0x1F, 0x7F .. 0x9F, 0xAD, 0x200D, 0x200E, 0x202E, 0x2060, 0xFE0F, 0xFFFD);
my @words = qw(the a red fish swims left in deep sea Program LICENSE warranty distribute software cats boxing gloves
    kitchen baking cake together camera slowly moves morning light 3D 4k 2024 1,000 don't it's blue-green "quoted"
    </s> <pad> <unk> <0x41> <fish> <fish><fish> <fishes> <s> e.g. x=1&y=2 https://example.com aaaaaaaa !!!);

sub character { my $r = $ranged[rand @ranged]; return pack('U', $r->[1] + int rand($r->[2] - $r->[1] + 1)); }
sub item {
    my $kind = rand 100;
    return $words[rand @words] . ' ' if $kind < 30;
    return $words[rand @words] if $kind < 38;
    return pack('U', $spaces[rand @spaces]) if $kind < 55;
    return pack('U', $controls[rand @controls]) if $kind < 58;
    return "\x{2581}" if $kind < 59;
    return ' ' x (1 + int rand 4) if $kind < 63;
    if ($kind < 75) {    # a run of one script
        my $r = $ranged[rand @ranged];
        return join '', map { pack('U', $r->[1] + int rand($r->[2] - $r->[1] + 1)) } 1 .. 1 + int rand 4;
    }
    return character();
}

for my $line (1 .. 10_000) {
    my $text = join '', map { item() } 1 .. 1 + int rand 8;
    utf8::encode($text);
    if ($line > 9_000) {    # damage it: bytes replaced, inserted, removed
        for (1 .. 1 + int rand 3) {
            my $at = int rand(1 + length $text);
            my $bytes = rand() < 0.2 ? '' : rand() < 0.3 ? "\xED\xA0\x80" : chr(0x80 + int rand 0x80);
            substr($text, $at, $at < length $text ? int rand 2 : 0) = $bytes;
        }
    }
    $text =~ tr/\n/ /;
    print $text, "\n";
}
PERL

# spm_train refuses text that is not UTF-8. Lines of Latin, Greek, Cyrillic, Hebrew and Arabic alone keep the models small.
head -n 9000 "$work/strings" | LC_ALL=C grep -av "$(printf '[\340-\377]')" > "$work/corpus"
spm_train --input="$work/corpus" --model_prefix="$work/bpe" --model_type=bpe --vocab_size=1500 --byte_fallback \
    --character_coverage=0.98 --normalization_rule_name=nfkc_cf --user_defined_symbols='<fish>,3D' \
    --pad_id=3 --num_threads=1 --minloglevel=2
spm_train --input="$work/corpus" --model_prefix="$work/suffix" --model_type=unigram --vocab_size=550 \
    --character_coverage=0.98 --normalization_rule_name=identity --user_defined_symbols='<fish>,3D' \
    --remove_extra_whitespaces=false --treat_whitespace_as_suffix --num_threads=1 --minloglevel=2

cp "$built" "$work/built.model"
cp I_tokenizer/spiece.model "$work/unigram.model"
for name in unigram built bpe suffix; do
    spm_encode --model="$work/$name.model" --output_format=id < "$work/strings" | gzip -9n > "$out/$name.ids.gz"
done
for name in built bpe suffix; do gzip -9nc "$work/$name.model" > "$out/$name.model.gz"; done
gzip -9nc "$work/strings" > "$out/strings.gz"
