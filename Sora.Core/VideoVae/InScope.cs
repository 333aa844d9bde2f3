namespace Sora.VideoVae;

/// <summary>Runs a stage so that, without a backward pass, its intermediate results are freed when it is done.</summary>
internal static class InScope
{
    public static Tensor Run(Tensor x, Func<Tensor, CausalCache, Tensor> stage, CausalCache cache)
    {
        if (is_grad_enabled())
            return stage(x, cache);
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(stage(x, cache));
    }

    /// <summary>The same, and frees the input too.</summary>
    public static Tensor Replace(Tensor x, Func<Tensor, CausalCache, Tensor> stage, CausalCache cache)
    {
        Tensor y = Run(x, stage, cache);
        if (!is_grad_enabled())
            x.Dispose();
        return y;
    }
}
