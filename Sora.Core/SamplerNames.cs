namespace Sora;

/// <summary>The names of the samplers, as a command line or a configuration file writes them.</summary>
public static class SamplerNames
{
    private static readonly NamedValues<Sampler> Values = new("Sampler",
        ("euler", Sampler.Euler),
        ("heun", Sampler.Heun),
        ("unipc", Sampler.UniPC),
        ("dpmpp-2m", Sampler.DpmPlusPlus2M),
        ("lcm", Sampler.Lcm),
        ("euler-trailing", Sampler.EulerTrailing));

    /// <summary>Every known name: <c>euler</c>, <c>heun</c>, <c>unipc</c>, <c>dpmpp-2m</c>, <c>lcm</c>, <c>euler-trailing</c>.</summary>
    public static IReadOnlyList<string> All => Values.Names;

    /// <summary>The sampler of this name, in any letter case.</summary>
    /// <exception cref="SoraException">The name is unknown; the message lists the known ones.</exception>
    public static Sampler Parse(string name) => Values.Parse(name);

    /// <summary>The name that <see cref="Parse"/> reads back.</summary>
    public static string NameOf(Sampler sampler) => Values.NameOf(sampler);
}
