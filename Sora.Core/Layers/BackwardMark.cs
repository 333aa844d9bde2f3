namespace Sora.Layers;

/// <summary>
/// A place in a network that tells when the backward pass comes by. libtorch runs a graph's steps from the last recorded to
/// the first, and adds a parameter's gradient as soon as it is there. So when the pass is here, the gradients of all
/// parameters that are used behind this place alone are whole.
/// </summary>
internal sealed class BackwardMark : autograd.SingleTensorFunction<BackwardMark>
{
    private const string Reached = "reached";

    /// <inheritdoc/>
    public override string Name => nameof(BackwardMark);

    /// <summary>The same values; where a gradient flows back through them, <paramref name="reached"/> is called first.</summary>
    /// <param name="x">Any tensor; without a gradient nothing is ever called.</param>
    /// <param name="reached">Called on the thread of the backward pass; what it throws ends the pass.</param>
    public static Tensor Place(Tensor x, Action reached) => apply(x, reached);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data(Reached, vars[1]);
        return ((Tensor)vars[0]).detach();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ((Action)ctx.get_data(Reached)!)();
        return [grad_output, null!];
    }
}
