using Xunit;

namespace Sora.Tests.Parity;

/// <summary>What a reference case checks, by the beginning of its folder's name.</summary>
/// <param name="Prefix">The beginning.</param>
/// <param name="Check">Asserts that Sora gives the folder's numbers.</param>
internal sealed record ParityKind(string Prefix, Action<string> Check)
{
    private static readonly ParityKind[] Kinds =
    [
        new("A_", TransformerParity.Run),
        new("B_", TransformerParity.Run),
        new("C_", VideoVaeParity.Run),
        new("D_", VideoVaeParity.Run),
        new("E_", TextEncoderParity.Run),
        new("F_", SolverParity.Run),
        new("G_", PipelineParity.Run),
        new("H_", ImageEncoderParity.Run),
        new("K_", PipelineParity.Run),
        new("I_", TokenizerParity.Run),
        new("J_", OriginalNamesParity.Run),
        new("L_", LoraParity.Run),
        new("M_", Float8Parity.Run),
        new("N_", GgufParity.Run),
        new("O_", SolverParity.Run),
    ];

    /// <summary>The kind with the longest beginning that fits; one whose check fails where none does.</summary>
    public static ParityKind Of(string name) =>
        Kinds.Where(kind => name.StartsWith(kind.Prefix, StringComparison.Ordinal)).MaxBy(kind => kind.Prefix.Length)
        ?? new(name, folder => Assert.Fail($"{folder} is a case of an unknown kind; known: {string.Join(", ", Kinds.Select(k => k.Prefix))}."));
}
