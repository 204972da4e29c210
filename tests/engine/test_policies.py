"""Each policy by its rule, on numbers one can follow; and all of them: at least one cell, and an end."""

from dataclasses import replace

import pytest
import torch

from dcomplete.engine.denoise import Plan, denoise
from dcomplete.engine.lengths import CloseAfterFill
from dcomplete.engine.policies import POLICIES, policy
from dcomplete.engine.sampling import Measure, Sampler, surety
from dcomplete.engine.step import Step
from dcomplete.errors import UserError
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Prompt
from tests.conftest import SPECIALS, make_family


def step(p: list[float], closed: tuple[int, ...] = (), index: int = 0, limit: int = 8) -> Step:
    """One row whose cells are proposed with these scores; `closed` cells are decided."""
    canvas = Canvas.build([[len(p)]], SPECIALS.mask)
    done = torch.zeros_like(canvas.open)
    done[0, list(closed)] = True
    canvas.commit(done, torch.full_like(canvas.ids, 9), torch.tensor([p]))
    score = torch.tensor([p]).masked_fill(done, float("-inf"))
    tokens = torch.arange(len(p))[None] + 20
    return Step(
        index, limit, canvas, canvas.open, tokens, torch.tensor([p]), score, lambda draft: None
    )


def committed(spec: str, shown: Step) -> list[int]:
    return policy(spec).decide(shown).commit[0].nonzero()[:, 0].tolist()


def test_threshold_takes_all_that_reach_it_and_else_the_best():
    assert committed("threshold", step([0.95, 0.5, 0.9])) == [0, 2]
    assert committed("threshold", step([0.1, 0.5, 0.3])) == [1]
    assert committed("threshold=0.3", step([0.1, 0.5, 0.3])) == [1, 2]


def test_decided_cells_are_never_committed_again():
    for name in POLICIES:
        if name != "verify":
            assert 0 not in committed(name, step([0.99, 0.95, 0.2], closed=(0,))), name


def test_topk_takes_the_k_best():
    assert committed("topk=2", step([0.1, 0.5, 0.3])) == [1, 2]
    assert committed("topk", step([0.1, 0.5, 0.3])) == [1]


def test_entropy_bound_keeps_sum_minus_max_within_the_bound():
    entropies = [0.02, 0.05, 0.04, 3.0]
    shown = step([-h for h in entropies])
    assert committed("entropy-bound=0.1", shown) == [0, 1, 2]  # 0.02 + 0.04 + 0.05 - 0.05 <= 0.1
    assert committed("entropy-bound=0.03", shown) == [0, 2]  # 0.02 + 0.04 - 0.04 <= 0.03
    assert committed("entropy-bound=0.000001", step([-2.0, -1.0])) == [1]


def test_factor_takes_the_largest_n_that_fits():
    assert committed("factor=1.0", step([0.99, 0.8, 0.4])) == [0, 1]  # 3 * 0.2 < 1, 4 * 0.6 > 1
    assert committed("factor=0.1", step([0.99, 0.8, 0.4])) == [0]


def test_p2_masks_decided_cells_again_when_others_are_surer():
    shown = step([0.2, 0.9, 0.8, 0.7], closed=(0,), index=1, limit=4)
    move = policy("p2=4").decide(shown)  # half of four cells stay
    assert move.commit[0].tolist() == [False, True, True, False]
    assert move.reopen is not None and move.reopen[0].tolist() == [True, False, False, False]


def test_published_options_are_part_of_a_policys_name():
    made = policy("entropy=2,alg_temp=0.1")
    assert made.value == 2 and made.alg_temp == 0.1  # type: ignore[attr-defined]


def test_alg_temp_draws_cells_by_the_softmax_of_their_scores():
    """Dream: torch.multinomial(softmax(confidence / alg_temp)), here by Gumbel noise."""
    generator = torch.Generator().manual_seed(0)
    scores = [0.9, 0.7, 0.1]
    counts = torch.zeros(3)
    for _ in range(3000):
        shown = replace(step(scores), generator=generator)
        counts += policy("topk=1,alg_temp=0.5").decide(shown).commit[0].float()
    wanted = (torch.tensor(scores) / 0.5).softmax(-1)
    torch.testing.assert_close(counts / 3000, wanted, atol=0.03, rtol=0)


def test_origin_takes_open_cells_at_random():
    generator = torch.Generator().manual_seed(0)
    taken = set()
    for _ in range(40):
        shown = replace(step([0.9, 0.8, 0.7, 0.6], closed=(1,)), generator=generator)
        [cell] = policy("origin").decide(shown).commit[0].nonzero()[:, 0].tolist()
        taken.add(cell)
    assert taken == {0, 2, 3}


def test_p2_judges_decided_cells_by_what_is_proposed_there_now():
    """Open-dLLM, generation_utils.py: confidence is of this step's sample at every place of the gap."""
    shown = step([0.2, 0.9, 0.8, 0.7], closed=(0,), index=1, limit=4)
    now = shown.score.clone()
    now[0, 0] = 0.95  # the decided cell looks sure by now, though it was not when it was decided
    move = policy("p2=4").decide(replace(shown, score=now))
    assert move.reopen is not None and not move.reopen.any()
    assert move.commit[0].tolist() == [False, True, False, False]


@pytest.mark.parametrize("name", ["full-shifted", "full"])
def test_p2_in_the_loop_keeps_the_published_number_of_cells(name):
    """After step i of n, ceil(cells * i / n) are decided: the rest is masked again."""
    family = make_family(name)
    canvas = Canvas.build([[10]], SPECIALS.mask)
    with family.open(Prompt([9, 10, 11], [12, 13])) as session:
        decided = [
            int((~canvas.open).sum())
            for _ in denoise(session, canvas, Plan(policy=policy("p2=5"), steps=5))
        ]
    assert decided[:5] == [2, 4, 6, 8, 10]


def test_published_stands_for_the_whole_sampler(tokens):
    from dcomplete.engine.engine import LocalEngine
    from dcomplete.models.usage import Usage
    from dcomplete.types import InfillRequest

    family = make_family("full")
    family.usage = Usage(temperature=1.5, top_p=0.9)
    engine = LocalEngine(family, tokens, "entropy=2")
    texts = {
        engine.infill(
            InfillRequest("a = ", "\n", length="8", seed=seed, policy="published")
        ).best.texts
        for seed in range(4)
    }
    assert len(texts) > 1, "its temperature is used"
    same = InfillRequest(
        "a = ", "\n", length="8", seed=1, policy="entropy=2", temperature=1.5, top_p=0.9
    )
    theirs = engine.infill(InfillRequest("a = ", "\n", length="8", seed=1, policy="published"))
    assert theirs.policy == "entropy=2" and engine.infill(same).best.texts == theirs.best.texts


def test_measures():
    p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
    best = p.max(-1).values
    torch.testing.assert_close(surety(p, best, Measure.MARGIN), torch.tensor([0.5, 0.0]))
    entropy = -surety(p, best, Measure.ENTROPY)
    torch.testing.assert_close(entropy, torch.tensor([0.8018, 0.6931]), atol=1e-4, rtol=0)


def test_top_p_never_draws_outside_the_nucleus():
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().expand(400, 4)
    sampler = Sampler(1.0, 0.75, torch.Generator().manual_seed(0))
    tokens, p, _ = sampler.draw(logits)
    assert set(tokens.tolist()) == {0, 1}
    torch.testing.assert_close(p[tokens == 0][0], torch.tensor(0.625))


def test_a_top_p_that_is_next_to_nothing_leaves_the_most_probable_token():
    logits = torch.tensor([[0.3, 0.5, 0.2]]).log().expand(20, 3)
    tokens, p, _ = Sampler(1.0, 1e-300, torch.Generator().manual_seed(0)).draw(logits)
    assert set(tokens.tolist()) == {1} and p.tolist() == [1.0] * 20


@pytest.mark.parametrize("name", list(POLICIES))
def test_every_policy_ends_and_decides_every_cell(name):
    family = make_family()
    session = family.open(Prompt([9, 10, 11], [12, 13]))
    canvas = Canvas.build([[12], [12]], SPECIALS.mask)
    steps = list(denoise(session, canvas, Plan(policy=policy(name), length=CloseAfterFill(4))))
    assert not canvas.open.any()
    assert 1 <= len(steps) <= 40
    assert not set(canvas.ids.flatten().tolist()) & set(SPECIALS.banned)


def greedy(family, prompt: Prompt, count: int) -> list[int]:
    """Plain autoregressive decoding, recomputing everything: the slow twin of `verify`."""
    from dcomplete.models.visibility import Visibility

    ids = family.regime.context(prompt).ids.tolist()
    out: list[int] = []
    while len(out) < count and (not out or out[-1] != SPECIALS.fill):
        so_far = torch.tensor([ids + out])
        hidden = family.net(so_far, torch.arange(so_far.shape[1])[None], Visibility(None, True))
        logits = family.net.head(hidden[0, -1])
        logits[SPECIALS.banned] = float("-inf")
        logits[family.vocabulary :] = float("-inf")
        out.append(int(logits.argmax()))
    return [t for t in out if t != SPECIALS.fill]


@pytest.mark.parametrize("seed", range(6))
def test_verify_equals_autoregressive_decoding(seed):
    family = make_family(seed=seed)
    prompt = Prompt([20 + seed, 10, 11], [12, 13])
    canvas = Canvas.build([[16]], SPECIALS.mask)
    plan = Plan(policy=policy("verify"), length=CloseAfterFill(4))
    for _ in denoise(family.open(prompt), canvas, plan):
        pass
    assert canvas.filled(0, 0, SPECIALS.fill) == greedy(family, prompt, 16)


@pytest.mark.parametrize(
    "spec", ["nothing", "threshold=x", "topk=0", "threshold=-1", "topk=1,heat=2", "verify=a"]
)
def test_a_wrong_policy_is_one_sentence(spec):
    with pytest.raises(UserError):
        policy(spec)
