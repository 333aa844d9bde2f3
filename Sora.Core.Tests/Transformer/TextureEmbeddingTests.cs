using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Transformer;

/// <summary>What a cell of a map is told to look like, against the subject and the point that made it.</summary>
public class TextureEmbeddingTests
{
    private const int Harmonics = 3, Waves = (2 * Harmonics) + 1, Subjects = 32, Longest = 5;

    private static readonly WanTransformerConfig s_config =
        TestTransformer.Config with { PatchSize = [1, 1, 1], InChannels = SemanticMap.Channels + 2, MapHarmonics = Harmonics, MapGain = 4 };

    [Fact]
    public void WithoutNoiseACellHasTheWavesOfItsPointAtItsSubject()
    {
        using DisposeScope scope = NewDisposeScope();
        (int Subject, float X, float Y)[] cells = [(0, 0.3f, -0.2f), (31, -0.45f, 0.5f), (9, 0, 0.1f)];
        Tensor map = stack([.. cells.Select(cell => Cell(cell.Subject, cell.X, cell.Y)), zeros([SemanticMap.Channels])]);
        Tensor features = TextureEmbedding.Features(map, zeros([4, 1]), Harmonics, turns: false).view(4, Subjects, Waves, Waves);
        for (int i = 0; i < cells.Length; i++)
        {
            (int subject, float x, float y) = cells[i];
            float[] across = WavesAt(x), down = WavesAt(y), given = features.select(0, i).contiguous().data<float>().ToArray();
            for (int at = 0; at < given.Length; at++)
            {
                (int s, int a, int d) = (at / (Waves * Waves), at / Waves % Waves, at % Waves);
                Assert.Equal(s == subject ? across[a] * down[d] : 0, given[at], 2e-3f);
            }
        }
        // No subject, as in known frames, has no looks.
        Assert.InRange(features.select(0, 3).abs().max().item<float>(), 0, 1e-3);
    }

    /// <summary>A product with a subnormal number takes processors a hundred times as long as with another: they once were a third of a training's time.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NoFeatureIsSoSmallThatProcessorsAreSlow(bool turns)
    {
        using DisposeScope scope = NewDisposeScope();
        float[] levels = [0, 1e-4f, 0.01f, 0.1f, 0.3f, 0.6f, 0.9f, 0.99f, 0.9999f, 1];
        Tensor cells = stack([.. levels.SelectMany((_, i) => new[] { Cell(i, 0.3f, -0.2f, i % 2 == 0, 40 * i), zeros([SemanticMap.Channels]) })]);
        Tensor at = tensor(levels, [levels.Length, 1]).repeat_interleave(2, 0);
        Tensor noisy = (cells * (1 - at)) + (RandomTensor.Create(3, cells.size(0), SemanticMap.Channels) * at);
        foreach (Tensor map in new[] { cells, noisy, noisy * 3 })
        {
            float[] features = TextureEmbedding.Features(map, at, Harmonics, turns).data<float>().ToArray();
            Assert.Contains(features, value => value > 0.1f);
            Assert.DoesNotContain(features, float.IsSubnormal);
        }
    }

    [Fact]
    public void MirroredAndTurnedDrawingsHaveWavesOfTheirOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        (int Subject, float X, float Y, bool Mirrored, float Degrees)[] cells = [(0, 0.3f, -0.2f, true, 0), (31, -0.45f, 0.5f, false, 45), (9, 0, 0.1f, false, 200)];
        Tensor map = stack([.. cells.Select(cell => Cell(cell.Subject, cell.X, cell.Y, cell.Mirrored, cell.Degrees))]);
        float[] given = TextureEmbedding.Features(map, zeros([cells.Length, 1]), Harmonics, turns: true).data<float>().ToArray();
        int plain = Subjects * Waves * Waves, all = (int)TextureEmbedding.Count(s_config with { MapTurns = true });
        Assert.Equal((2 * plain) + (Subjects * Longest * Longest * 4), all);
        Assert.Equal(cells.Length * all, given.Length);
        for (int i = 0; i < cells.Length; i++)
        {
            (int subject, float x, float y, bool mirrored, float degrees) = cells[i];
            float[] across = WavesAt(x), down = WavesAt(y);
            (float sin, float cos) = MathF.SinCos(degrees * MathF.PI / 180);
            float[] turns = [cos, sin, (cos * cos) - (sin * sin), 2 * sin * cos];
            Span<float> own = given.AsSpan(i * all, all);
            for (int at = 0; at < plain; at++)
            {
                (int s, int a, int d) = (at / (Waves * Waves), at / Waves % Waves, at % Waves);
                float expected = s == subject ? across[a] * down[d] : 0;
                Assert.Equal(expected, own[at], 2e-3f);
                Assert.Equal(mirrored ? expected : -expected, own[plain + at], 2e-3f);
            }
            // The sharpness of a turn that is read without noise is 1 / 0.04.
            for (int at = 0; at < Subjects * Longest * Longest * 4; at++)
            {
                (int s, int a, int d, int turn) = (at / (Longest * Longest * 4), at / (Longest * 4) % Longest, at / 4 % Longest, at % 4);
                float kept = MathF.Exp(turn < 2 ? -0.02f : -0.08f);
                Assert.Equal(s == subject ? across[a] * down[d] * turns[turn] * kept : 0, own[(2 * plain) + at], 5e-3f);
            }
        }
    }

    [Fact]
    public void OfNoiseAloneNoTurnIsKnown()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor features = TextureEmbedding.Features(RandomTensor.Create(1, 50, SemanticMap.Channels), ones([50, 1]), Harmonics, turns: true);
        long plain = Subjects * Waves * Waves;
        Assert.Equal(0, features.narrow(1, plain, features.size(1) - plain).abs().max().item<float>());
    }

    // On the average the turn that is told is the turn.
    [Theory]
    [InlineData(0.3f)]
    [InlineData(0.6f)]
    public void ANoisyTurnIsTheMeanOfWhatItMayBe(float level)
    {
        using DisposeScope scope = NewDisposeScope();
        const int Count = 5000;
        Tensor angles = RandomTensor.Create(1, Count, 1) * 10;
        Tensor clean = Cell(6, 0, 0).unsqueeze(0).repeat(Count, 1);
        Tensor turns = cat([angles.cos(), angles.sin()], 1);
        clean.narrow(1, SemanticMap.CodeLength + 3, 2).copy_(turns * SemanticMap.Deviation);
        Tensor noisy = (clean * (1 - level)) + (RandomTensor.Create(2, Count, SemanticMap.Channels) * level);
        Tensor features = TextureEmbedding.Features(noisy, full([Count, 1], level), Harmonics, turns: true);
        // The first product of waves of subject 6 is 1.
        Tensor told = features.narrow(1, (2 * Subjects * Waves * Waves) + (6 * Longest * Longest * 4), 2);
        Tensor known = features.narrow(1, 6 * Waves * Waves, 1);
        Assert.InRange((((turns * known) - told) * told).mean([0]).abs().max().item<float>(), 0, 0.08);
        Assert.InRange((told * turns).mean([0]).min().item<float>(), 0.15, 0.5);
    }

    [Fact]
    public void NoiseAloneSaysNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor features = TextureEmbedding.Features(RandomTensor.Create(1, 50, SemanticMap.Channels), ones([50, 1]), Harmonics, turns: false);
        Assert.Equal([50, TextureEmbedding.Count(s_config)], features.shape);
        Assert.InRange((features - features.narrow(0, 0, 1)).abs().max().item<float>(), 0, 1e-5);
    }

    // Where the signs can still be read, the mean of what may be there: on the average right at each level, and uncorrelated with what it is off by.
    [Theory]
    [InlineData(0.2f)]
    [InlineData(0.5f)]
    public void ANoisyCellHasTheMeanOfWhatItMayStandFor(float level)
    {
        using DisposeScope scope = NewDisposeScope();
        const int Count = 40_000, Subject = 6;
        Tensor points = RandomTensor.Create(1, Count, 2) * 0.29f;
        Tensor clean = Cell(Subject, 0, 0).unsqueeze(0).repeat(Count, 1);
        clean.narrow(1, SemanticMap.CodeLength, 2).copy_(points * SemanticMap.PointScale);
        Tensor noisy = (clean * (1 - level)) + (RandomTensor.Create(2, Count, SemanticMap.Channels) * level);
        Tensor seen = Mine(noisy, level), there = Mine(clean, 0), off = there - seen;                   // N W W
        Assert.InRange(off.mean([0]).abs().max().item<float>(), 0, 0.06);
        Assert.InRange((off * seen).mean([0]).abs().max().item<float>(), 0, 0.08);
        // Long waves are seen the longer.
        float[] kept = seen.square().mean([0]).data<float>().ToArray();
        Assert.True(kept[Waves] > kept[3 * Waves] && kept[3 * Waves] > kept[5 * Waves]);
        Assert.True(kept[1] > kept[3] && kept[3] > kept[5]);

        Tensor Mine(Tensor map, float at) => TextureEmbedding.Features(map, full([Count, 1], at), Harmonics, turns: false).view(Count, Subjects, Waves, Waves).select(1, Subject);
    }

    [Fact]
    public void EachTokenIsReadAtItsOwnLevel()
    {
        using DisposeScope scope = NewDisposeScope();
        WanTransformerConfig config = s_config;
        using var source = new FreshParameters(7, float32);
        var textures = new TextureEmbedding(new ParameterScope(source)["texture_embedding"], config);
        using IDisposable noGradients = no_grad();
        Parameter weight = source.Parameters["texture_embedding.weight"];
        Assert.Equal([config.InnerDim, TextureEmbedding.Count(s_config)], weight.shape);
        Tensor x = RandomTensor.Create(1, 3, config.InnerDim), patches = RandomTensor.Create(2, 3, config.InChannels) * 2;
        var times = TokenTimes.PerToken([0, 800, 400]);
        // A fresh table is empty.
        Assert.Equal(0, RandomTensor.Distance(x, textures.AddTo(x, patches, times)));
        weight.copy_(RandomTensor.Create(3, weight.shape));
        // 0.8 / (0.8 + 4·0.2) and 0.4 / (0.4 + 4·0.6).
        Tensor features = TextureEmbedding.Features(patches.narrow(1, 2, SemanticMap.Channels), tensor([0f, 0.5f, 1 / 7f], [3, 1]), Harmonics, turns: false);
        Assert.InRange((textures.AddTo(x, patches, times) - x - (features * 4).matmul(weight.transpose(0, 1))).abs().max().item<float>(), 0, 1e-3);
    }

    [Fact]
    public void ManyTokensAreReadAsFewAre()
    {
        using DisposeScope scope = NewDisposeScope();
        WanTransformerConfig config = s_config with { MapHarmonics = 1 };
        using var source = new FreshParameters(7, float32);
        var textures = new TextureEmbedding(new ParameterScope(source)["texture_embedding"], config);
        using IDisposable noGradients = no_grad();
        Parameter weight = source.Parameters["texture_embedding.weight"];
        weight.copy_(RandomTensor.Create(3, weight.shape));
        const int count = (2 * (int)TextureEmbedding.MostRows) + 5;
        float[] times = [.. Enumerable.Range(0, count).Select(i => 1000f * i / count)];
        Tensor x = RandomTensor.Create(1, count, config.InnerDim), patches = RandomTensor.Create(2, count, config.InChannels) * 2;
        Tensor all = textures.AddTo(x, patches, TokenTimes.PerToken(times));
        foreach (int start in (int[])[0, (int)TextureEmbedding.MostRows - 5, count - 10])
        {
            Tensor few = textures.AddTo(x.narrow(0, start, 10), patches.narrow(0, start, 10), TokenTimes.PerToken(times.AsSpan(start, 10)));
            Assert.InRange(RandomTensor.Distance(few, all.narrow(0, start, 10)), 0, 1e-3);
        }
    }

    private static Tensor Cell(int subject, float x, float y, bool mirrored = true, float degrees = 0)
    {
        (float sin, float cos) = MathF.SinCos(degrees * MathF.PI / 180);
        return tensor(
            [.. SemanticMap.Codes[subject].Select(sign => sign * SemanticMap.Deviation), x * SemanticMap.PointScale, y * SemanticMap.PointScale,
                .. ((float[])[mirrored ? 1 : -1, cos, sin, 1]).Select(value => value * SemanticMap.Deviation)], [SemanticMap.Channels]);
    }

    internal static float[] WavesAt(float point, int harmonics = Harmonics) =>
        [1, .. Enumerable.Range(1, harmonics).SelectMany(k => (float[])[MathF.Sqrt(2) * MathF.Sin(2 * MathF.PI * k * point / 1.2f), MathF.Sqrt(2) * MathF.Cos(2 * MathF.PI * k * point / 1.2f)])];
}
