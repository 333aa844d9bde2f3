namespace Sora.Layers;

/// <summary>Stops at the stage where numbers stop being numbers.</summary>
internal static class Finite
{
    /// <summary>Requires that no element is NaN or infinite.</summary>
    /// <exception cref="SoraException">One is; the message names the stage.</exception>
    public static Tensor Require(Tensor tensor, string stage)
    {
        using DisposeScope scope = NewDisposeScope();
        // The sum of x·0 is 0 for numbers and NaN otherwise: one pass, no mask in memory.
        if (float.IsNaN((tensor * 0).sum().to(float32).cpu().item<float>()))
            throw new SoraException($"{stage} gave NaN or infinity: the weights are damaged, or their numbers leave the range of the precision. Nearest that may work: precision full.");
        return tensor;
    }
}
