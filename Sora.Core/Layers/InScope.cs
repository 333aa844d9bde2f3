namespace Sora.Layers;

/// <summary>Runs a part of a network so that, without a backward pass, its intermediate results are freed when it is done.</summary>
internal static class InScope
{
    /// <summary>Runs a part.</summary>
    public static Tensor Run(Tensor x, Func<Tensor, Tensor> part)
    {
        if (is_grad_enabled())
            return part(x);
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(part(x));
    }

    /// <summary>The same, and frees the input too.</summary>
    public static Tensor Replace(Tensor x, Func<Tensor, Tensor> part)
    {
        Tensor y = Run(x, part);
        if (!is_grad_enabled())
            x.Dispose();
        return y;
    }
}
