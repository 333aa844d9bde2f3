namespace Sora.Training;

/// <summary>Limits the length of the gradient over all parameters.</summary>
public static class GradientClipping
{
    /// <summary>Scales all gradients so that their common Euclidean norm is at most <paramref name="maximum"/>.</summary>
    /// <returns>The norm before; NaN or infinite when a gradient is.</returns>
    public static double Apply(IEnumerable<Parameter> parameters, double maximum)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor[] gradients = [.. parameters.Select(p => p.grad).OfType<Tensor>()];
        double norm = stack(gradients.Select(g => g.norm().to(float32))).norm().cpu().item<float>();
        if (norm > maximum)
        {
            foreach (Tensor gradient in gradients)
                gradient.mul_(maximum / norm);
        }
        return norm;
    }
}
