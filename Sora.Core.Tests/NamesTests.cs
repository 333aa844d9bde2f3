using Xunit;

namespace Sora.Tests;

public class NamesTests
{
    [Fact]
    public void EverySamplerReadsBackFromItsName()
    {
        Assert.Equal(Enum.GetValues<Sampler>().Length, SamplerNames.All.Count);
        Assert.All(Enum.GetValues<Sampler>(), sampler => Assert.Equal(sampler, SamplerNames.Parse(SamplerNames.NameOf(sampler))));
    }

    [Fact]
    public void EveryPrecisionReadsBackFromItsName()
    {
        Assert.Equal(Enum.GetValues<Precision>().Length, PrecisionNames.All.Count);
        Assert.All(Enum.GetValues<Precision>(), precision => Assert.Equal(precision, PrecisionNames.Parse(PrecisionNames.NameOf(precision))));
        Assert.Equal(Precision.BFloat16, PrecisionNames.Parse("BF16"));
    }

    [Theory]
    [InlineData("unipk", "Sampler 'unipk' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing, nearest: unipc.")]
    [InlineData("eluer", "Sampler 'eluer' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing, nearest: euler.")]
    [InlineData("dpmpp2m", "Sampler 'dpmpp2m' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing, nearest: dpmpp-2m.")]
    [InlineData("ddim", "Sampler 'ddim' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing.")]
    [InlineData("", "Sampler '' is unknown; known: euler, heun, unipc, dpmpp-2m, lcm, euler-trailing.")]
    public void AnUnknownNameIsAnsweredWithTheKnownOnes(string name, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(() => SamplerNames.Parse(name)).Message);

    [Theory]
    [InlineData("--stpes", "--steps")]
    [InlineData("--guidence", "--guidance")]
    [InlineData("--frame", "--frames")]
    [InlineData("--colour", null)]
    public void TheNearestNameIsTheOneWithTheFewestEdits(string given, string? nearest) =>
        Assert.Equal(nearest, NearestName.Find(given, ["--steps", "--guidance", "--frames", "--fps", "--seed"]));
}
