namespace Sora.Layers;

/// <summary>A stage gave NaN or infinity.</summary>
/// <param name="stage">The stage, as the beginning of a sentence.</param>
internal sealed class NotFiniteException(string stage)
    : SoraException($"{stage} gave NaN or infinity: the weights are damaged, or their numbers leave the range of the precision. Nearest that may work: precision full.")
{
    /// <summary>The stage, as the beginning of a sentence: <c>The transformer</c>.</summary>
    public string Stage { get; } = stage;
}
