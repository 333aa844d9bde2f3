using Sora.Conditioning;
using Sora.Tests.Generation;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Conditioning;

public sealed class KnownFrameRulesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public KnownFrameRulesTests() => TinyModel.CopyTo(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(KnownFrameRule.Any, new int[0])]
    [InlineData(KnownFrameRule.Any, new[] { 3, 8, 1 })]
    [InlineData(KnownFrameRule.First, new[] { 0 })]
    [InlineData(KnownFrameRule.FirstAndPerhapsLast, new[] { 0 })]
    [InlineData(KnownFrameRule.FirstAndPerhapsLast, new[] { 8, 0 })]
    [InlineData(KnownFrameRule.FirstAndLast, new[] { 0, 8 })]
    public void WhatAModelHoldsIsTaken(KnownFrameRule rule, int[] places) => Assert.Null(KnownFrameRules.Problem(rule, places, 9));

    [Theory]
    [InlineData(KnownFrameRule.Any, new[] { 9 }, "KnownFrames names index 9, but the video has 9 frames; allowed: 0 to 8.")]
    [InlineData(KnownFrameRule.First, new int[0], "KnownFrames is empty; this model needs the first frame, index 0, and can hold no other.")]
    [InlineData(KnownFrameRule.First, new[] { 0, 8 }, "KnownFrames names indices 0, 8; this model needs the first frame, index 0, and can hold no other.")]
    [InlineData(KnownFrameRule.First, new[] { 4 }, "KnownFrames names index 4; this model needs the first frame, index 0, and can hold no other.")]
    [InlineData(KnownFrameRule.FirstAndPerhapsLast, new[] { 8 }, "KnownFrames names index 8; this model needs the first frame, index 0, and can hold the last, index 8, besides, and no other.")]
    [InlineData(KnownFrameRule.FirstAndLast, new[] { 0 }, "KnownFrames names index 0; this model needs the first and the last frame, indices 0 and 8, and can hold no other.")]
    [InlineData(KnownFrameRule.FirstAndLast, new[] { 8, 4, 0 }, "KnownFrames names indices 0, 4, 8; this model needs the first and the last frame, indices 0 and 8, and can hold no other.")]
    public void WhatItCannotHoldIsNamedWithWhatItCan(KnownFrameRule rule, int[] places, string message) =>
        Assert.Equal(message, KnownFrameRules.Problem(rule, places, 9));

    [Fact]
    public void TheRuleFollowsFromTheConfigs()
    {
        Assert.Equal(KnownFrameRule.Any, RuleWith(TinyModel.Transformer));
        Assert.Equal(KnownFrameRule.FirstAndPerhapsLast, RuleWith(TinyModel.Transformer with { InChannels = 12 }));
        Assert.Equal(KnownFrameRule.First, ModelFolder.Open(TestWeights.Fixture("K_pipeline_i2v")).Limits.KnownFrames);
        Assert.Equal(KnownFrameRule.FirstAndLast, ModelFolder.Open(TestWeights.Fixture("K_pipeline_flf2v")).Limits.KnownFrames);
        Assert.Equal(KnownFrameRule.Any, ModelFolder.Open(TestWeights.Fixture("K_pipeline_ti2v_image")).Limits.KnownFrames);
    }

    private KnownFrameRule RuleWith(WanTransformerConfig transformer)
    {
        transformer.Save(_folder.File("transformer", "config.json"));
        return ModelFolder.Open(_folder.Path).Limits.KnownFrames;
    }
}
