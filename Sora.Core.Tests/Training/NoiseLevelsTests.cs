using Sora.Latents;
using Sora.Training;
using Xunit;

namespace Sora.Tests.Training;

public class NoiseLevelsTests
{
    [Fact]
    public void TheKindsOfClipsHaveTheirShares()
    {
        var levels = new NoiseLevels(0, 1, 0.25, 0.15);
        int known = 0, independent = 0, firstKnown = 0;
        const int Count = 4000;
        for (int i = 0; i < Count; i++)
        {
            float[] drawn = levels.Draw(new GaussianNoise(1, (ulong)i), 5, 320);
            Assert.All(drawn, level => Assert.InRange(level, 0, 1));
            Assert.Contains(drawn, level => level > 0); // something is left to learn
            known += drawn.Contains(0) ? 1 : 0;
            firstKnown += drawn[0] == 0 ? 1 : 0;
            independent += drawn.Distinct().Count() == 5 ? 1 : 0;
        }
        Assert.InRange(known / (double)Count, 0.22, 0.28);
        Assert.InRange(independent / (double)Count, 0.12, 0.18);
        Assert.InRange(firstKnown / (double)Count, 0.12, 0.25);
    }

    [Fact]
    public void APictureIsNeverKnown() =>
        Assert.All(Enumerable.Range(0, 500), i => Assert.NotEqual(0, new NoiseLevels(0, 1, 0.5, 0.5).Draw(new GaussianNoise(2, (ulong)i), 1, 64)[0]));

    [Fact]
    public void AShiftNeedsPatches() =>
        Assert.Equal("noise.shift_tokens 0 is out of range; allowed: 1 to 1000000, nearest: 1.", Assert.Throws<SoraException>(() => new NoiseLevels(0, 1, 0, 0, 0)).Message);

    [Theory]
    [InlineData(320, 1)]
    [InlineData(1280, 2)]
    [InlineData(80, 0.5)]
    public void LargerClipsAreNoisier(long tokens, double shift)
    {
        var plain = new NoiseLevels(0.2, 1.1, 0, 0.5);
        for (ulong i = 0; i < 50; i++)
        {
            float[] levels = plain.Draw(new GaussianNoise(3, i), 5, tokens), shifted = (plain with { ShiftTokens = 320 }).Draw(new GaussianNoise(3, i), 5, tokens);
            Assert.All(levels.Zip(shifted), pair => Assert.Equal(shift * pair.First / (1 - pair.First), pair.Second / (1 - pair.Second), 1e-3 * shift / (1 - pair.First)));
        }
    }
}
