using Sora.Layers;
using Sora.Sampling;

namespace Sora.Transformer;

/// <summary>
/// The velocity of a batch of videos from the expert that a step's time belongs to. An expert is borrowed, and the texts are
/// prepared for it, at its first step; where parts are not kept only one is in memory.
/// </summary>
/// <param name="experts">The experts, the one for the noisiest times first.</param>
/// <param name="clock">Told the time that loading an expert takes.</param>
/// <param name="retry">Gives an expert in float32 where its velocity is not finite; it then takes the rest of the expert's steps.</param>
/// <param name="prepare">Prepares the velocity of a network; the number is its place among the experts.</param>
internal sealed class ExpertVelocity(IReadOnlyList<Expert> experts, StageClock clock, OverflowRetry retry, Func<DiffusionTransformer, int, GuidedVelocity> prepare) : IDisposable
{
    private const string Stage = "The transformer";

    private ModelPart<DiffusionTransformer>.Loan _loan;
    private GuidedVelocity? _velocity;
    private int _current = -1;
    private bool _isInFloat32;

    /// <summary>The velocities of the videos' samples [1, C, t, h, w] each, at a step.</summary>
    public IReadOnlyList<Tensor> Predict(IReadOnlyList<Tensor> samples, SamplingStep step)
    {
        int expert = experts.TakeWhile(expert => step.Time < expert.LowestTime).Count();
        if (expert != _current)
            ChangeTo(expert, experts[expert].Network);
        IReadOnlyList<Tensor> velocities = _velocity!.Predict(samples, step);
        if (velocities.All(Finite.Is))
            return velocities;
        foreach (Tensor velocity in velocities)
            velocity.Dispose();
        if (_isInFloat32)
            throw OverflowRetry.Damaged(Stage);
        ChangeTo(expert, retry.InFloat32(experts[expert].Network, Stage));
        _isInFloat32 = true;
        return Predict(samples, step);
    }

    /// <summary>Frees what is prepared and gives the network back.</summary>
    public void Dispose()
    {
        _velocity?.Dispose();
        _velocity = null;
        if (_current >= 0)
            _loan.Dispose();
        _current = -1;
    }

    private void ChangeTo(int expert, ModelPart<DiffusionTransformer> network)
    {
        Dispose();
        _isInFloat32 = false;
        _loan = network.Borrow(clock);
        _current = expert;
        _velocity = prepare(_loan.Network, expert);
    }
}
