namespace Sora.Transformer;

/// <summary>
/// Trains a network in less memory (activation checkpointing, Chen et al. 2016, arXiv 1604.06174): the forward pass keeps only
/// what enters each block, and the backward pass computes a block's inside again when it comes to it. The graph is cut at
/// the borders of the blocks, and the gradient is carried across by hand, which needs nothing of the engine but
/// <c>detach</c> and <c>backward</c>. Costs one more forward pass of the blocks.
/// </summary>
/// <remarks>Use it as: loss of the network's output, <c>loss.backward()</c>, then <see cref="Backward"/>, all in one dispose scope.</remarks>
internal sealed class ActivationCheckpoints
{
    private readonly List<(Tensor Original, Tensor Leaf)> _borders = [];
    private readonly List<Run> _runs = [];

    /// <summary>
    /// A tensor that blocks read besides their stream: the same values without the graph behind them, to which
    /// <see cref="Backward"/> goes on.
    /// </summary>
    public Tensor Border(Tensor original)
    {
        if (!original.requires_grad)
            return original;
        Tensor leaf = original.detach().requires_grad_();
        _borders.Add((original, leaf));
        return leaf;
    }

    /// <summary>Puts a stream through blocks without keeping what they compute inside.</summary>
    /// <param name="x">What enters the first block.</param>
    /// <param name="blocks">The blocks; each is called twice, so it must give the same for the same and read nothing that is disposed meanwhile.</param>
    /// <returns>What the last block gives, as the start of a new graph.</returns>
    public Tensor Through(Tensor x, IReadOnlyList<Func<Tensor, Tensor>> blocks)
    {
        var entries = new List<Tensor> { Border(x) };
        using (no_grad())
        {
            foreach (Func<Tensor, Tensor> block in blocks)
            {
                using DisposeScope scope = NewDisposeScope();
                entries.Add(scope.MoveToOuter(block(entries[^1])));
            }
        }
        Tensor output = entries[^1].detach().requires_grad_();
        _runs.Add(new(entries, blocks, output));
        return output;
    }

    /// <summary>Carries the gradient from the outputs back through the blocks, and from what they read to the rest of the network.</summary>
    public void Backward()
    {
        for (int i = _runs.Count - 1; i >= 0; i--)
            BackThrough(_runs[i]);
        // In one pass, since the graphs behind the borders share parts.
        Tensor[] products = [.. _borders.Where(b => b.Leaf.grad is not null).Select(b => Product(b.Original, b.Leaf.grad!))];
        _borders.Clear();
        _runs.Clear();
        if (products.Length > 0)
            stack(products).sum().backward();
    }

    private static void BackThrough(Run run)
    {
        if (run.Output.grad is not { } gradient)
            return;
        for (int i = run.Blocks.Count - 1; i >= 0; i--)
        {
            using DisposeScope scope = NewDisposeScope();
            // The first entry is a border, where the gradient stays.
            Tensor entry = i == 0 ? run.Entries[0] : run.Entries[i].detach().requires_grad_();
            // False where neither the first block nor what it reads is trained.
            if (run.Blocks[i](entry) is { requires_grad: true } y)
                Product(y, gradient).backward();
            run.Entries[i + 1].Dispose();
            if (i > 0)
                gradient = scope.MoveToOuter(entry.grad!);
        }
    }

    // Σ y·g has the gradient g at y.
    private static Tensor Product(Tensor y, Tensor gradient) => (y * gradient).sum().to(float32);

    private sealed record Run(List<Tensor> Entries, IReadOnlyList<Func<Tensor, Tensor>> Blocks, Tensor Output);
}
