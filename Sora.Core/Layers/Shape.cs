namespace Sora.Layers;

/// <summary>Checks of shapes where tensors enter.</summary>
public static class Shape
{
    /// <summary>Requires a number of axes, named in a pattern such as <c>B C t h w</c>; a number in it requires a length.</summary>
    /// <exception cref="ArgumentException">The tensor has another shape; the message names both.</exception>
    public static void Require(Tensor tensor, string pattern, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        string[] axes = pattern.Split(' ');
        long[] shape = tensor.shape;
        bool fits = axes.Length == shape.Length;
        for (int i = 0; fits && i < axes.Length; i++)
            fits = !long.TryParse(axes[i], out long length) || shape[i] == length;
        if (!fits)
            throw new ArgumentException($"{name} has shape [{string.Join(", ", shape)}]; expected [{string.Join(", ", axes)}].", name);
    }
}
