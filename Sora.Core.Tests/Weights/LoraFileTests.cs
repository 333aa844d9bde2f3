using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public class LoraFileTests
{
    [Theory]
    [InlineData("style.safetensors", "style.safetensors", 1)]
    [InlineData("style.safetensors:0.5", "style.safetensors", 0.5)]
    [InlineData("style.safetensors:-1", "style.safetensors", -1)]
    [InlineData("style.safetensors:0", "style.safetensors", 0)]
    [InlineData("a:b.safetensors", "a:b.safetensors", 1)]
    [InlineData("a:b.safetensors:2", "a:b.safetensors", 2)]
    [InlineData("a:2:1", "a:2", 1)]
    [InlineData("a:", "a:", 1)]
    [InlineData("a:0,5", "a:0,5", 1)]
    [InlineData("http://a/b", "http://a/b", 1)]
    public void TheScaleStandsAfterTheLastColon(string text, string path, float scale) =>
        Assert.Equal(new LoraFile(path, scale), LoraFile.Parse(text));

    [Theory]
    [InlineData("a:101", "LoRA scale 101 is out of range; allowed: -100 to 100, nearest: 100.")]
    [InlineData("a:NaN", "LoRA scale NaN is out of range; allowed: -100 to 100.")]
    [InlineData("", "The path of a LoRA is empty; allowed: a safetensors file.")]
    [InlineData(":1", "The path of a LoRA is empty; allowed: a safetensors file.")]
    public void WhatIsNoFileOrNoScaleIsRefused(string text, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(() => LoraFile.Parse(text)).Message);

    [Fact]
    public void ACopyIsCheckedToo()
    {
        Assert.Throws<SoraException>(() => new LoraFile("a") with { Scale = float.PositiveInfinity });
        Assert.Throws<SoraException>(() => new LoraFile("a") with { Path = " " });
    }
}
